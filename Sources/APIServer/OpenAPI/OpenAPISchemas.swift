import APIMachinery
import Kinds
import KubernetesModel

/// Writes a catalogue's kinds and paths as OpenAPI.
struct OpenAPIWriter {
    /// The dialects differ in where definitions are and how bodies and parameters are written.
    enum Dialect {
        case v2, v3
    }

    let catalogue: Catalogue
    let dialect: Dialect
    let version: String

    init(_ catalogue: Catalogue, _ dialect: Dialect, version: String) {
        self.catalogue = catalogue
        self.dialect = dialect
        self.version = version
    }

    func v2() -> JSON {
        var definitions: [String: JSON] = [:]
        let kinds = kinds(of: catalogue.resources)
        for (name, schema) in SchemaIndex.builtIn.definitions { definitions[name] = definition(schema, kinds[name]) }
        addCustom(catalogue.resources, to: &definitions, kinds)
        for name in WellKnown.allCases { definitions[name.rawValue] = name.json(dialect) }
        return [
            "swagger": "2.0", "info": info, "paths": paths(catalogue.resources), "definitions": .object(definitions),
            "securityDefinitions": [
                "BearerToken": [
                    "type": "apiKey", "name": "authorization", "in": "header",
                    "description": "A bearer token, or no header where a client certificate is given.",
                ]
            ], "security": [["BearerToken": []]],
        ]
    }

    func v3(_ groupVersion: Catalogue.GroupVersion) -> JSON {
        let resources = catalogue.resources(in: groupVersion)
        let kinds = kinds(of: catalogue.resources)
        var schemas: [String: JSON] = [:]
        var pending = ["DeleteOptions", "Status", "Patch"].map { Self.meta + $0 }
        for info in resources {
            pending += [info.definition, listDefinition(info)]
            pending += info.subresources.compactMap { subresourceDefinition($0, of: info) }
        }
        addCustom(resources, to: &schemas, kinds)
        // Custom schemas refer to ObjectMeta and ListMeta only.
        pending += [Self.meta + "ObjectMeta", Self.meta + "ListMeta"]
        while let name = pending.popLast() {
            guard schemas[name] == nil else { continue }
            if let wellKnown = WellKnown(rawValue: name) {
                schemas[name] = wellKnown.json(dialect)
            } else if let schema = SchemaIndex.builtIn[name] {
                let json = definition(schema, kinds[name])
                schemas[name] = json
                collectReferences(json, into: &pending)
            }
        }
        return [
            "openapi": "3.0.0", "info": info, "paths": paths(resources),
            "components": [
                "schemas": .object(schemas),
                "securitySchemes": [
                    "BearerToken": [
                        "type": "apiKey", "name": "authorization", "in": "header",
                        "description": "A bearer token, or no header where a client certificate is given.",
                    ]
                ],
            ],
        ]
    }

    static let meta = "io.k8s.apimachinery.pkg.apis.meta.v1."

    private var info: JSON { ["title": "Kubernetes", "version": .string(version)] }

    var referencePrefix: String { dialect == .v2 ? "#/definitions/" : "#/components/schemas/" }

    func reference(_ name: String) -> JSON { ["$ref": .string(referencePrefix + name)] }

    private func collectReferences(_ json: JSON, into names: inout [String]) {
        switch json {
        case .object(let members):
            if let reference = members["$ref"]?.string {
                names.append(String(reference.dropFirst(referencePrefix.count)))
            }
            for value in members.values { collectReferences(value, into: &names) }
        case .array(let elements): for element in elements { collectReferences(element, into: &names) }
        default: break
        }
    }

    /// The definition of a kind's list, which custom resources have too.
    func listDefinition(_ info: ResourceInfo) -> String {
        guard info.isCustom else { return info.definition + "List" }
        return info.definition.split(separator: ".").dropLast().joined(separator: ".") + "." + info.listKind
    }

    /// Which groups, versions and kinds a definition stands for.
    private func kinds(of resources: [ResourceInfo]) -> [String: [JSON]] {
        var kinds: [String: [JSON]] = [:]
        for info in resources {
            kinds[info.definition] = [kind(info.type, info.type.kind)]
            kinds[listDefinition(info)] = [kind(info.type, info.listKind)]
            for subresource in info.subresources {
                guard let group = subresource.group, let version = subresource.version,
                    let name = subresourceDefinition(subresource, of: info)
                else { continue }
                kinds[name] = [
                    ["group": .string(group), "version": .string(version), "kind": .string(subresource.kind)]
                ]
            }
        }
        for name in ["DeleteOptions", "Status", "WatchEvent"] {
            kinds[Self.meta + name] = [["group": "", "version": "v1", "kind": .string(name)]]
        }
        return kinds
    }

    func kind(_ type: ResourceType, _ kind: String) -> JSON {
        ["group": .string(type.group), "version": .string(type.version), "kind": .string(kind)]
    }

    /// The definition of what a subresource takes or gives, where it is one.
    func subresourceDefinition(_ subresource: ResourceInfo.Subresource, of info: ResourceInfo) -> String? {
        switch (subresource.group, subresource.kind) {
        case ("autoscaling", _): "io.k8s.api.autoscaling.v1.Scale"
        case ("policy", _): "io.k8s.api.policy.v1.Eviction"
        case ("authentication.k8s.io", _): "io.k8s.api.authentication.v1.TokenRequest"
        case (_, "Binding"): "io.k8s.api.core.v1.Binding"
        case (_, info.type.kind): info.definition
        default: nil
        }
    }

    private func addCustom(_ resources: [ResourceInfo], to definitions: inout [String: JSON], _ kinds: [String: [JSON]])
    {
        for info in resources where info.isCustom {
            definitions[info.definition] = definition(info.schema, kinds[info.definition])
            let list = listDefinition(info)
            definitions[list] = [
                "description": .string("A list of \(info.type.kind) objects."), "type": "object", "required": ["items"],
                "properties": [
                    "apiVersion": ["type": "string"], "kind": ["type": "string"],
                    "metadata": reference(Self.meta + "ListMeta"),
                    "items": ["type": "array", "items": reference(info.definition)],
                ], "x-kubernetes-group-version-kind": .array(kinds[list] ?? []),
            ]
        }
    }

    private func definition(_ schema: Schema, _ kinds: [JSON]?) -> JSON {
        var json = self.schema(schema)
        if let kinds { json["x-kubernetes-group-version-kind"] = .array(kinds) }
        return json
    }

    /// A schema, without following its reference.
    func schema(_ schema: Schema) -> JSON {
        var json: JSON = [:]
        if !schema.description.isEmpty { json["description"] = .string(schema.description) }
        if let name = schema.reference ?? WellKnown(schema)?.rawValue {
            if dialect == .v3, !schema.description.isEmpty || !schema.patchStrategy.isEmpty || schema.isAtomic {
                json["allOf"] = [reference(name)]
            } else {
                json["$ref"] = .string(referencePrefix + name)
            }
        } else {
            writeType(schema, into: &json)
        }
        writeExtensions(schema, into: &json)
        return json
    }

    private func writeType(_ schema: Schema, into json: inout JSON) {
        if schema.type != .any { json["type"] = .string(schema.type.rawValue) }
        if let format = schema.format { json["format"] = .string(format) }
        if schema.isIntOrString { json["x-kubernetes-int-or-string"] = true }
        if !schema.properties.isEmpty { json["properties"] = .object(schema.properties.mapValues(self.schema)) }
        if let items = schema.items { json["items"] = self.schema(items) }
        if let additional = schema.additionalProperties { json["additionalProperties"] = self.schema(additional) }
        if !schema.required.isEmpty { json["required"] = JSON(schema.required.sorted()) }
        if !schema.enumeration.isEmpty { json["enum"] = .array(schema.enumeration) }
        if let value = schema.defaultValue { json["default"] = value }
        guard let limits = schema.constraints else { return }
        if let pattern = limits.pattern { json["pattern"] = .string(pattern) }
        if let minimum = limits.minimum { json["minimum"] = .double(minimum) }
        if let maximum = limits.maximum { json["maximum"] = .double(maximum) }
        if let length = limits.minLength { json["minLength"] = JSON(length) }
        if let length = limits.maxLength { json["maxLength"] = JSON(length) }
        if let count = limits.minItems { json["minItems"] = JSON(count) }
        if let count = limits.maxItems { json["maxItems"] = JSON(count) }
    }

    private func writeExtensions(_ schema: Schema, into json: inout JSON) {
        switch schema.listType {
        case .atomic: json["x-kubernetes-list-type"] = "atomic"
        case .set: json["x-kubernetes-list-type"] = "set"
        case .map(let keys):
            json["x-kubernetes-list-type"] = "map"
            json["x-kubernetes-list-map-keys"] = JSON(keys)
        case nil: break
        }
        if schema.isAtomic { json["x-kubernetes-map-type"] = "atomic" }
        if !schema.patchStrategy.isEmpty {
            json["x-kubernetes-patch-strategy"] = .string(schema.patchStrategy.joined(separator: ","))
        }
        if let key = schema.patchMergeKey { json["x-kubernetes-patch-merge-key"] = .string(key) }
        let isFreeBuiltIn = schema.type == .object && schema.additionalProperties == nil && !schema.isEmbeddedResource
        if schema.preservesUnknownFields, !isFreeBuiltIn { json["x-kubernetes-preserve-unknown-fields"] = true }
        if schema.isEmbeddedResource { json["x-kubernetes-embedded-resource"] = true }
    }

    /// Values that built-in kinds share and that have definitions of their own.
    enum WellKnown: String, CaseIterable {
        case time = "io.k8s.apimachinery.pkg.apis.meta.v1.Time"
        case quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity"
        case intOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
        case patch = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"

        init?(_ schema: Schema) {
            if schema.isQuantity {
                self = .quantity
            } else if schema.isIntOrString, schema.format == "int-or-string" {
                self = .intOrString
            } else if schema.format == "date-time", schema.isNullable {
                self = .time
            } else {
                return nil
            }
        }

        func json(_ dialect: Dialect) -> JSON {
            switch self {
            case .time: ["description": "A moment in RFC 3339.", "type": "string", "format": "date-time"]
            case .quantity:
                dialect == .v2
                    ? ["description": Self.aboutQuantities, "type": "string"]
                    : [
                        "description": Self.aboutQuantities, "oneOf": [["type": "string"], ["type": "number"]],
                    ]
            case .intOrString:
                dialect == .v2
                    ? ["description": "A number or a text.", "type": "string", "format": "int-or-string"]
                    : [
                        "description": "A number or a text.", "format": "int-or-string",
                        "oneOf": [["type": "integer"], ["type": "string"]],
                    ]
            case .patch: ["description": "The body of a PATCH request.", "type": "object"]
            }
        }

        private static let aboutQuantities: JSON =
            "An amount with a suffix: n, u, m, k, M, G, T, P, E (powers of 1000), Ki to Ei (powers of 1024), or an exponent."
    }
}
