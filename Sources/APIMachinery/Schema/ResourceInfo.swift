import KubernetesModel

/// What the API serves under one group, version and plural.
public struct ResourceInfo: Sendable {
    /// A part of an object with a path of its own.
    public struct Subresource: Sendable, Hashable {
        public let name: String
        /// The kind that requests and answers have, and its group and version where they differ from the owner's.
        public let kind: String
        public let group: String?
        public let version: String?
        public let verbs: [String]

        public init(_ name: String, kind: String, group: String? = nil, version: String? = nil, verbs: [String]) {
            self.name = name
            self.kind = kind
            self.group = group
            self.version = version
            self.verbs = verbs
        }
    }

    public let type: ResourceType
    public let singular: String
    public let listKind: String
    public let shortNames: [String]
    public let categories: [String]
    public let verbs: [String]
    public let subresources: [Subresource]
    /// The name of the kind's definition: `io.k8s.api.apps.v1.Deployment`, `com.example.v1.Widget`.
    public let definition: String
    public let schema: Schema
    /// The version under which objects are kept, where several versions share them.
    public let storedAs: ResourceType
    public let isCustom: Bool

    public init(
        type: ResourceType, singular: String? = nil, listKind: String? = nil, shortNames: [String] = [],
        categories: [String] = [], verbs: [String] = ResourceInfo.allVerbs, subresources: [Subresource] = [],
        definition: String, schema: Schema, storedAs: ResourceType? = nil,
        isCustom: Bool = false
    ) {
        self.type = type
        self.singular = singular ?? type.kind.lowercased()
        self.listKind = listKind ?? type.kind + "List"
        self.shortNames = shortNames
        self.categories = categories
        self.verbs = verbs
        self.subresources = subresources
        self.definition = definition
        self.schema = schema
        self.storedAs = storedAs ?? type
        self.isCustom = isCustom
    }

    /// The verbs of objects that are kept, in the order of discovery.
    public static let allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

    public func subresource(_ name: String) -> Subresource? { subresources.first { $0.name == name } }
    public func supports(_ verb: String) -> Bool { verbs.contains(verb) }
}
