import APIMachinery
import KubernetesModel

extension Kind {
    /// A kind whose rules are those of its schema: the road of custom resources.
    ///
    /// - Parameters:
    ///   - columns: `additionalPrinterColumns`.
    ///   - selectableFields: the paths of `selectableFields`, without the leading dot.
    package convenience init(schemaOf info: ResourceInfo, columns: [JSON] = [], selectableFields: [String] = []) {
        let schema = info.schema
        let hasStatus = info.subresource("status") != nil
        self.init(
            info, defaults: { schema.applyDefaults(&$0.json) }, validate: { $0.schema($1.json, schema) },
            validateSubresources: ["status": { validation, object, _ in validation.schema(object.json, schema) }],
            columns: Table.Columns(additional: columns),
            strategy: Strategy(
                countsGenerations: true, prepareForCreate: { if hasStatus { $0.status = .null } }
            ).keepingInStatus(Strategy.clientMetadata),
            selectableFields: SelectableFields(selectableFields))
    }

    /// A version of the kind that a CustomResourceDefinition defines; nil where it does not serve it.
    package convenience init?(_ definition: Object, version: String) {
        let spec = definition.spec
        let versions = spec["versions"].items
        guard let own = versions.first(where: { $0["name"].string == version }), own["served"].bool == true else {
            return nil
        }
        let names = spec["names"]
        let group = spec["group"].string ?? ""
        let kind = names["kind"].string ?? ""
        func type(_ version: String) -> ResourceType {
            ResourceType(
                group: group, version: version, plural: names["plural"].string ?? "", kind: kind,
                namespaced: spec["scope"] == "Namespaced")
        }
        let stored = versions.first { $0["storage"].bool == true }?["name"].string
        let prefix = group.split(separator: ".").reversed().joined(separator: ".")
        self.init(
            schemaOf: ResourceInfo(
                type: type(version), singular: names["singular"].string, listKind: names["listKind"].string,
                shortNames: names["shortNames"].strings, categories: names["categories"].strings,
                subresources: Self.subresources(own["subresources"], kind: kind),
                definition: "\(prefix).\(version).\(kind)",
                schema: Schema(customResource: own["schema"]["openAPIV3Schema"]), storedAs: stored.map(type),
                isCustom: true),
            columns: own["additionalPrinterColumns"].items,
            selectableFields: own["selectableFields"].items.compactMap { field in
                field["jsonPath"].string.map { $0.hasPrefix(".") ? String($0.dropFirst()) : $0 }
            })
    }

    private static func subresources(_ json: JSON, kind: String) -> [ResourceInfo.Subresource] {
        var found: [ResourceInfo.Subresource] = []
        if !json["scale"].isNull { found.append(.scale) }
        if !json["status"].isNull { found.append(.status(kind)) }
        return found
    }
}
