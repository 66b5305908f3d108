import APIMachinery
import KubernetesModel

/// An API group in one version: what the rows of its kinds have in common.
struct Group {
    typealias Subresource = ResourceInfo.Subresource

    let name: String
    let version: String
    /// What the definitions' names begin with.
    private let prefix: String

    init(_ name: String, _ version: String, definitions prefix: String? = nil) {
        self.name = name
        self.version = version
        let short = name.split(separator: ".").first.map(String.init) ?? "core"
        self.prefix = prefix ?? "io.k8s.api.\(short).\(version)."
    }

    /// A row of the catalogue.
    ///
    /// - Parameters:
    ///   - all: whether the kind is in the category `all`.
    ///   - isExtension: whether it is in the category `api-extensions`.
    ///   - others: the subresources besides `status` and `scale`.
    func row(
        _ plural: String, _ kind: String, namespaced: Bool = true, short: [String] = [], all: Bool = false,
        isExtension: Bool = false, status: Bool = false, scale: Bool = false,
        verbs: [String] = ResourceInfo.allVerbs, others: [Subresource] = [], singular: String? = nil,
        storedAs: ResourceType? = nil
    ) -> ResourceInfo {
        var subresources = others
        if scale { subresources.append(.scale) }
        if status { subresources.append(.status(kind)) }
        let definition = prefix + kind
        return ResourceInfo(
            type: ResourceType(group: name, version: version, plural: plural, kind: kind, namespaced: namespaced),
            singular: singular, shortNames: short,
            categories: all ? ["all"] : isExtension ? ["api-extensions"] : [], verbs: verbs,
            subresources: subresources.sorted { $0.name < $1.name }, definition: definition,
            schema: SchemaIndex.builtIn[definition] ?? Schema(.object, preservesUnknownFields: true),
            storedAs: storedAs)
    }
}

extension ResourceInfo.Subresource {
    static let readAndWrite = ["get", "patch", "update"]

    static let scale = ResourceInfo.Subresource(
        "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: readAndWrite)

    static func status(_ kind: String) -> ResourceInfo.Subresource {
        ResourceInfo.Subresource("status", kind: kind, verbs: readAndWrite)
    }

    static func proxy(_ kind: String) -> ResourceInfo.Subresource {
        ResourceInfo.Subresource("proxy", kind: kind, verbs: ["create", "delete", "get", "patch", "update"])
    }
}
