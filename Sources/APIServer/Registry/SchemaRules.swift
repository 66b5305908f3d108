import KubernetesModel

/// What the pipeline asks of a kind's schema.
enum SchemaRules {
    static func validateCreate(_ object: Object, _ resource: ResourceInfo) -> [FieldError] { [] }
    static func validateUpdate(_ object: Object, old: Object, _ resource: ResourceInfo) -> [FieldError] { [] }
}
