import KubernetesModel

/// APIMachinery: what is generic over kinds of objects.
///
/// Schemas, and by them decoding, defaults, validation, patches and tables, for built-in and custom kinds alike. It knows
/// no kind by its name; what is true of one is in Kinds.

/// What a value may be: its type, its members, how it merges, what it is when absent.
///
/// A schema of a built-in kind comes from `SchemaIndex`; that of a custom resource is read from its definition's
/// `openAPIV3Schema`. Generic code (validation, pruning, defaulting, merging, OpenAPI) treats them alike.
public final class Schema: Sendable {
    public enum ValueType: String, Sendable {
        case object, array, string, integer, number, boolean
        /// Anything: an absent type.
        case any
    }

    /// How a list merges in server-side apply (`x-kubernetes-list-type`).
    public enum ListType: Sendable, Hashable {
        case atomic
        case set
        case map(keys: [String])
    }

    public let type: ValueType
    /// `int32`, `int64`, `double`, `byte`, `date-time`, or a custom resource's own.
    public let format: String?
    /// The name of the definition that has this value's members; see `resolved`.
    public let reference: String?
    public let description: String
    public let properties: [String: Schema]
    public let items: Schema?
    /// The schema of a map's values.
    public let additionalProperties: Schema?
    public let required: [String]
    public let enumeration: [JSON]
    public let defaultValue: JSON?
    public let listType: ListType?
    /// Whether server-side apply treats the object as one value (`x-kubernetes-map-type: atomic`).
    public let isAtomic: Bool
    /// `merge`, `replace`, `retainKeys`.
    public let patchStrategy: [String]
    public let patchMergeKey: String?
    /// A number or a text (`x-kubernetes-int-or-string`).
    public let isIntOrString: Bool
    /// A `resource.Quantity`.
    public let isQuantity: Bool
    /// Whether members that no schema names are kept (`x-kubernetes-preserve-unknown-fields`).
    public let preservesUnknownFields: Bool
    /// Whether the value is a whole Kubernetes object (`x-kubernetes-embedded-resource`).
    public let isEmbeddedResource: Bool
    public let isNullable: Bool
    /// What else a custom resource's definition asks of the value.
    public let constraints: Constraints?

    public init(
        _ type: ValueType, format: String? = nil, reference: String? = nil, description: String = "",
        properties: [String: Schema] = [:], items: Schema? = nil, additionalProperties: Schema? = nil,
        required: [String] = [], enumeration: [JSON] = [], defaultValue: JSON? = nil, listType: ListType? = nil,
        isAtomic: Bool = false, patchStrategy: [String] = [], patchMergeKey: String? = nil,
        isIntOrString: Bool = false, isQuantity: Bool = false, preservesUnknownFields: Bool = false,
        isEmbeddedResource: Bool = false, isNullable: Bool = false, constraints: Constraints? = nil
    ) {
        self.type = type
        self.format = format
        self.reference = reference
        self.description = description
        self.properties = properties
        self.items = items
        self.additionalProperties = additionalProperties
        self.required = required
        self.enumeration = enumeration
        self.defaultValue = defaultValue
        self.listType = listType
        self.isAtomic = isAtomic
        self.patchStrategy = patchStrategy
        self.patchMergeKey = patchMergeKey
        self.isIntOrString = isIntOrString
        self.isQuantity = isQuantity
        self.preservesUnknownFields = preservesUnknownFields
        self.isEmbeddedResource = isEmbeddedResource
        self.isNullable = isNullable
        self.constraints = constraints
    }

    /// The schema with the members: this one, or the definition that it refers to.
    public var resolved: Schema {
        guard let reference else { return self }
        return SchemaIndex.builtIn[reference] ?? self
    }

    /// The schema of a member, by its name in an object or a map.
    public func member(_ name: String) -> Schema? {
        let schema = resolved
        return schema.properties[name] ?? schema.additionalProperties
    }

    /// Whether server-side apply treats the value as one, whichever of field and definition says so.
    public var mergesAtomically: Bool { isAtomic || resolved.isAtomic }

    /// `x-kubernetes-list-type: map`'s keys; nil for other lists.
    public var listMapKeys: [String]? { if case .map(let keys) = listType { keys } else { nil } }
}

extension Schema {
    /// The limits of JSON schema that built-in kinds do not use.
    public struct Constraints: Sendable {
        public var pattern: String?
        /// The pattern, ready to be matched; nil without one, and for one that is no regular expression.
        package var matcher: Pattern?
        public var minimum: Double?
        public var maximum: Double?
        public var exclusiveMinimum = false
        public var exclusiveMaximum = false
        public var multipleOf: Double?
        public var minLength: Int?
        public var maxLength: Int?
        public var minItems: Int?
        public var maxItems: Int?
        public var uniqueItems = false
        public var minProperties: Int?
        public var maxProperties: Int?
        public var allOf: [Schema] = []
        public var anyOf: [Schema] = []
        public var oneOf: [Schema] = []
        public var not: Schema?

        /// Nil where the JSON schema has none of them.
        init?(_ json: JSON) {
            let names = [
                "pattern", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems",
                "uniqueItems", "minProperties", "maxProperties", "allOf", "anyOf", "oneOf", "not",
            ]
            guard names.contains(where: { !json[$0].isNull }) else { return nil }
            pattern = json["pattern"].string
            matcher = pattern.flatMap { try? Pattern($0) }
            minimum = json["minimum"].double
            maximum = json["maximum"].double
            exclusiveMinimum = json["exclusiveMinimum"].bool ?? false
            exclusiveMaximum = json["exclusiveMaximum"].bool ?? false
            multipleOf = json["multipleOf"].double
            minLength = json["minLength"].int
            maxLength = json["maxLength"].int
            minItems = json["minItems"].int
            maxItems = json["maxItems"].int
            uniqueItems = json["uniqueItems"].bool ?? false
            minProperties = json["minProperties"].int
            maxProperties = json["maxProperties"].int
            allOf = json["allOf"].items.map { Schema(openAPI: $0) }
            anyOf = json["anyOf"].items.map { Schema(openAPI: $0) }
            oneOf = json["oneOf"].items.map { Schema(openAPI: $0) }
            not = json["not"].isNull ? nil : Schema(openAPI: json["not"])
        }
    }

    /// Reads a custom resource's `openAPIV3Schema`, or a part of it.
    public convenience init(openAPI json: JSON) {
        let isIntOrString = json["x-kubernetes-int-or-string"].bool ?? false
        let listType: ListType? =
            switch json["x-kubernetes-list-type"].string {
            case "atomic": .atomic
            case "set": .set
            case "map": .map(keys: json["x-kubernetes-list-map-keys"].strings)
            default: nil
            }
        let additional = json["additionalProperties"]
        self.init(
            json["type"].string.flatMap(ValueType.init) ?? .any, format: json["format"].string,
            description: json["description"].string ?? "",
            properties: json["properties"].object?.mapValues { Schema(openAPI: $0) } ?? [:],
            items: json["items"].isNull ? nil : Schema(openAPI: json["items"]),
            additionalProperties: additional.object != nil
                ? Schema(openAPI: additional)
                : additional.bool == true ? Schema(.any, preservesUnknownFields: true) : nil,
            required: json["required"].strings, enumeration: json["enum"].items,
            defaultValue: json.object?["default"], listType: listType,
            isAtomic: json["x-kubernetes-map-type"].string == "atomic", isIntOrString: isIntOrString,
            preservesUnknownFields: json["x-kubernetes-preserve-unknown-fields"].bool ?? false,
            isEmbeddedResource: json["x-kubernetes-embedded-resource"].bool ?? false,
            isNullable: json["nullable"].bool ?? false, constraints: Constraints(json))
    }

    /// The schema of a custom resource: its own, with `apiVersion`, `kind` and `metadata` of every object.
    public convenience init(customResource json: JSON) {
        let own = Schema(openAPI: json)
        var properties = own.properties
        properties["apiVersion"] = SchemaIndex.apiVersion
        properties["kind"] = SchemaIndex.kind
        properties["metadata"] = SchemaIndex.metadata
        self.init(
            .object, description: own.description, properties: properties,
            additionalProperties: own.additionalProperties, required: own.required,
            preservesUnknownFields: own.preservesUnknownFields || json.isNull, constraints: own.constraints)
    }
}
