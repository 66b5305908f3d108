import APIMachinery
import KubernetesModel

extension Kind {
    static let customResourceDefinition = Kind(
        Group(
            "apiextensions.k8s.io", "v1", definitions: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
        ).row(
            "customresourcedefinitions", "CustomResourceDefinition", namespaced: false, short: ["crd", "crds"],
            isExtension: true, status: true),
        defaults: { $0.json.change("spec", definitionDefaults) },
        validate: { $0.customResourceDefinition($1) }, columns: .nameAndCreation,
        strategy: .counting.keepingInStatus(Strategy.clientMetadata), isReconciled: false)

    private static func definitionDefaults(_ spec: inout JSON) {
        let kind = spec["names"]["kind"].string ?? ""
        spec["names"].fill("singular", .string(kind.lowercased()))
        spec["names"].fill("listKind", .string(kind + "List"))
        spec["conversion"].fill("strategy", "None")
        spec["conversion"].change("webhook") { webhook in
            webhook.change("clientConfig") { $0.change("service") { $0.fill(zero: "port", 443) } }
        }
    }
}

extension Validation {
    fileprivate mutating func customResourceDefinition(_ object: Object) {
        let spec = object.spec
        let names = spec["names"]
        let needed = "\(names["plural"].string ?? "").\(spec["group"].string ?? "")"
        if object.name != needed {
            invalid("metadata.name", .string(object.name), "must be spec.names.plural+\".\"+spec.group")
        }
        if spec["group"].string?.isEmpty ?? true { required("spec.group") }
        for field in ["plural", "kind", "singular", "listKind"] where names[field].string?.isEmpty ?? true {
            required("spec.names.\(field)")
        }
        oneOf("spec.scope", spec["scope"], ["Cluster", "Namespaced"], required: true)
        let versions = spec["versions"].items
        if versions.filter({ $0["storage"].bool == true }).count != 1 {
            invalid("spec.versions", spec["versions"], "must have exactly one version marked as storage version")
        }
        for (index, version) in versions.enumerated() {
            let name = version["name"].string ?? ""
            invalid("spec.versions[\(index)].name", .string(name), each: Names.label1035(name))
            if version["schema"]["openAPIV3Schema"].isNull {
                required("spec.versions[\(index)].schema.openAPIV3Schema", "schemas are required")
            }
            patterns(version["schema"]["openAPIV3Schema"], "spec.versions[\(index)].schema.openAPIV3Schema")
        }
    }

    /// The regular expressions of a schema and of those within it.
    private mutating func patterns(_ schema: JSON, _ path: String) {
        if let text = schema["pattern"].string {
            do {
                _ = try Pattern(text)
            } catch {
                invalid("\(path).pattern", .string(text), "must be a valid regular expression, but isn't: \(error)")
            }
        }
        for field in ["items", "additionalProperties", "not"] where schema[field].object != nil {
            patterns(schema[field], "\(path).\(field)")
        }
        for field in ["allOf", "anyOf", "oneOf"] {
            for (index, part) in schema[field].items.enumerated() { patterns(part, "\(path).\(field)[\(index)]") }
        }
        for field in ["properties", "patternProperties", "definitions"] {
            for (name, part) in schema[field].object?.sorted(by: { $0.key < $1.key }) ?? [] {
                patterns(part, "\(path).\(field)[\(name)]")
            }
        }
    }
}
