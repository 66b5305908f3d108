import KubernetesModel

extension Schema {
    /// A custom resource's defaults: absent members, and nulls where null is not allowed, become `default`.
    public func applyDefaults(_ value: inout JSON) {
        let schema = resolved
        switch value {
        case .object(var members):
            value = .null
            for (name, field) in schema.properties {
                if let preset = field.defaultValue,
                    members[name] == nil || (members[name] == .null && !field.isNullable)
                {
                    members[name] = preset
                }
                if members[name] != nil { field.applyDefaults(&members[name, default: .null]) }
            }
            if let additional = schema.additionalProperties {
                for name in members.keys where schema.properties[name] == nil {
                    additional.applyDefaults(&members[name, default: .null])
                }
            }
            value = .object(members)
        case .array(var elements):
            guard let items = schema.items else { return }
            value = .null
            for index in elements.indices { items.applyDefaults(&elements[index]) }
            value = .array(elements)
        default: break
        }
    }
}
