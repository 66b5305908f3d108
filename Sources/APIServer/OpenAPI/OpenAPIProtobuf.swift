import KubernetesModel

/// OpenAPI v2 as gnostic's protobuf (`openapi.v2.Document`), which client-go requests.
///
/// Field numbers are those of gnostic's `OpenAPIv2.proto`.
enum OpenAPIProtobuf {
    static func document(_ json: JSON) -> [UInt8] {
        var message = ProtobufMessage()
        message.string(1, json["swagger"])
        message.message(2) { info in
            info.string(1, json["info"]["title"])
            info.string(2, json["info"]["version"])
        }
        message.message(8) { paths in
            for (path, item) in sorted(json["paths"]) { paths.named(2, path) { pathItem(item, into: &$0) } }
        }
        message.message(9) { definitions in
            for (name, value) in sorted(json["definitions"]) { definitions.named(1, name) { schema(value, into: &$0) } }
        }
        for requirement in json["security"].items {
            message.message(12) { security in
                for (name, _) in sorted(requirement) { security.named(1, name) { _ in } }
            }
        }
        message.message(13) { definitions in
            for (name, value) in sorted(json["securityDefinitions"]) {
                definitions.named(1, name) { item in
                    item.message(2) { key in
                        key.string(1, value["type"])
                        key.string(2, value["name"])
                        key.string(3, value["in"])
                        key.string(4, value["description"])
                    }
                }
            }
        }
        return message.bytes
    }

    private static func sorted(_ json: JSON) -> [(String, JSON)] {
        (json.object ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static let methods = [("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("patch", 8)]

    private static func pathItem(_ json: JSON, into message: inout ProtobufMessage) {
        for (method, number) in methods where !json[method].isNull {
            message.message(number) { operation(json[method], into: &$0) }
        }
        for value in json["parameters"].items { message.message(9) { parameter(value, into: &$0) } }
    }

    private static func operation(_ json: JSON, into message: inout ProtobufMessage) {
        message.strings(1, json["tags"])
        message.string(3, json["description"])
        message.string(5, json["operationId"])
        message.strings(6, json["produces"])
        message.strings(7, json["consumes"])
        for value in json["parameters"].items { message.message(8) { parameter(value, into: &$0) } }
        message.message(9) { responses in
            for (code, value) in sorted(json["responses"]) {
                responses.named(1, code) { response in
                    response.message(1) { body in
                        body.string(1, value["description"])
                        guard !value["schema"].isNull else { return }
                        body.message(2) { item in item.message(1) { schema(value["schema"], into: &$0) } }
                    }
                }
            }
        }
        message.strings(10, json["schemes"])
        extensions(13, json, into: &message)
    }

    /// A `ParametersItem`.
    private static func parameter(_ json: JSON, into message: inout ProtobufMessage) {
        message.message(1) { parameter in
            if json["in"] == "body" {
                parameter.message(1) { body in
                    body.string(1, json["description"])
                    body.string(2, json["name"])
                    body.string(3, json["in"])
                    body.bool(4, json["required"])
                    body.message(5) { schema(json["schema"], into: &$0) }
                }
                return
            }
            let isPath = json["in"] == "path"
            parameter.message(2) { other in
                other.message(isPath ? 4 : 3) { value in
                    value.bool(1, json["required"])
                    value.string(2, json["in"])
                    value.string(3, json["description"])
                    value.string(4, json["name"])
                    value.string(isPath ? 5 : 6, json["type"])
                    value.bool(isPath ? 19 : 20, json["uniqueItems"])
                }
            }
        }
    }

    private static func schema(_ json: JSON, into message: inout ProtobufMessage) {
        message.string(1, json["$ref"])
        message.string(2, json["format"])
        message.string(4, json["description"])
        if !json["default"].isNull { message.any(5, json["default"]) }
        message.double(7, json["maximum"])
        message.double(9, json["minimum"])
        message.integer(11, json["maxLength"])
        message.integer(12, json["minLength"])
        message.string(13, json["pattern"])
        message.integer(14, json["maxItems"])
        message.integer(15, json["minItems"])
        message.strings(19, json["required"])
        for value in json["enum"].items { message.any(20, value) }
        if !json["additionalProperties"].isNull {
            message.message(21) { item in item.message(1) { schema(json["additionalProperties"], into: &$0) } }
        }
        if !json["type"].isNull { message.message(22) { $0.string(1, json["type"]) } }
        if !json["items"].isNull {
            message.message(23) { item in item.message(1) { schema(json["items"], into: &$0) } }
        }
        if !json["properties"].isNull {
            message.message(25) { properties in
                for (name, value) in sorted(json["properties"]) {
                    properties.named(1, name) { schema(value, into: &$0) }
                }
            }
        }
        extensions(31, json, into: &message)
    }

    private static func extensions(_ number: Int, _ json: JSON, into message: inout ProtobufMessage) {
        for (name, value) in sorted(json) where name.hasPrefix("x-") {
            message.message(number) { item in
                item.string(1, .string(name))
                item.any(2, value)
            }
        }
    }
}

/// A protobuf message as it grows.
private struct ProtobufMessage {
    private(set) var bytes: [UInt8] = []

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func key(_ number: Int, wireType: UInt64) { varint(UInt64(number) << 3 | wireType) }

    mutating func string(_ number: Int, _ json: JSON) {
        guard let text = json.string, !text.isEmpty else { return }
        append(number, text)
    }

    private mutating func append(_ number: Int, _ text: String) {
        key(number, wireType: 2)
        varint(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func strings(_ number: Int, _ json: JSON) {
        for text in json.strings { append(number, text) }
    }

    mutating func bool(_ number: Int, _ json: JSON) {
        guard json.bool == true else { return }
        key(number, wireType: 0)
        varint(1)
    }

    mutating func integer(_ number: Int, _ json: JSON) {
        guard let value = json.int, value != 0 else { return }
        key(number, wireType: 0)
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func double(_ number: Int, _ json: JSON) {
        guard let value = json.double, value != 0 else { return }
        key(number, wireType: 1)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(shift)))
        }
    }

    mutating func message(_ number: Int, _ fill: (inout ProtobufMessage) -> Void) {
        var inner = ProtobufMessage()
        fill(&inner)
        key(number, wireType: 2)
        varint(UInt64(inner.bytes.count))
        bytes.append(contentsOf: inner.bytes)
    }

    /// A `Named…` message: a name and a value.
    mutating func named(_ number: Int, _ name: String, _ fill: (inout ProtobufMessage) -> Void) {
        message(number) { pair in
            pair.string(1, .string(name))
            pair.message(2, fill)
        }
    }

    /// An `Any`, whose content is YAML; JSON is that too.
    mutating func any(_ number: Int, _ json: JSON) {
        message(number) { $0.append(2, json.description + "\n") }
    }
}
