import KubernetesModel

/// Decodes `application/vnd.kubernetes.protobuf` bodies, which kubectl sends since 1.32, to the JSON that the rest of
/// the pipeline works on. Responses are always JSON, which the same clients accept.
package enum ProtobufDecoding {
    package static let mediaType = "application/vnd.kubernetes.protobuf"
    /// `k8s` and a zero byte begin every body.
    private static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0]

    struct Malformed: Error {
        let problem: String
    }

    package static func decode(_ body: [UInt8]) throws(Status) -> JSON {
        do {
            guard body.starts(with: magic) else { throw Malformed(problem: "the body does not begin with k8s\\0") }
            return try envelope(body[magic.count...])
        } catch let error as Malformed {
            throw .badRequest("error decoding the protobuf body: \(error.problem)")
        } catch {
            throw .badRequest("error decoding the protobuf body: \(error)")
        }
    }

    /// `runtime.Unknown`: the type, and the object's bytes.
    private static func envelope(_ bytes: ArraySlice<UInt8>) throws -> JSON {
        var apiVersion = ""
        var kind = ""
        var raw: ArraySlice<UInt8> = []
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            switch (number, value) {
            case (1, .bytes(let bytes)):
                var type = ProtobufReader(bytes)
                while let (number, value) = try type.next() {
                    guard case .bytes(let text) = value else { continue }
                    if number == 1 { apiVersion = String(decoding: text, as: UTF8.self) }
                    if number == 2 { kind = String(decoding: text, as: UTF8.self) }
                }
            case (2, .bytes(let bytes)): raw = bytes
            default: break
            }
        }
        guard let message = ProtobufSchema.builtIn.message(apiVersion: apiVersion, kind: kind) else {
            throw Malformed(problem: "no kind \"\(kind)\" is registered for version \"\(apiVersion)\"")
        }
        var members = try Self.message(message, raw)
        members["apiVersion"] = .string(apiVersion)
        members["kind"] = .string(kind)
        return .object(members)
    }

    private static func message(_ name: String, _ bytes: ArraySlice<UInt8>) throws -> [String: JSON] {
        guard let message = ProtobufSchema.builtIn[name] else { return [:] }
        return try self.message(message, bytes)
    }

    private static func message(
        _ message: ProtobufSchema.Message, _ bytes: ArraySlice<UInt8>
    ) throws -> [String: JSON] {
        var members: [String: JSON] = [:]
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            switch message.fields[number] {
            case nil: break
            case .embedded(let inner):
                guard case .bytes(let bytes) = value else { continue }
                members.merge(try self.message(inner, bytes)) { $1 }
            case .member(let name, let type): try add(value, type, to: &members[name])
            }
        }
        return members
    }

    /// Adds one occurrence of a field: an element of a list, an entry of a map, or the value.
    private static func add(
        _ value: ProtobufReader.Value, _ type: ProtobufSchema.FieldType, to member: inout JSON?
    ) throws {
        switch type.unwrapped {
        case .list(let element):
            let decoded = try json(value, element)
            member = member ?? .array([])
            member?.append(decoded)
        case .map(let type):
            let (key, decoded) = try entry(value, type)
            member = member ?? .object([:])
            member?[entry: key] = decoded
        default:
            let decoded = try json(value, type)
            // What Go leaves out of JSON, because it is not a pointer and zero, is no value here either.
            if !type.omits(decoded) { member = decoded }
        }
    }

    private static func entry(
        _ value: ProtobufReader.Value, _ type: ProtobufSchema.FieldType
    ) throws -> (String, JSON) {
        guard case .bytes(let bytes) = value else { throw Malformed(problem: "a map's entry is no message") }
        var key = ""
        var decoded: JSON?
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            if number == 1, case .bytes(let text) = value { key = String(decoding: text, as: UTF8.self) }
            if number == 2 { decoded = try json(value, type) }
        }
        return (key, try decoded ?? json(.bytes([]), type))
    }

    private static func json(_ value: ProtobufReader.Value, _ type: ProtobufSchema.FieldType) throws -> JSON {
        switch (type, value) {
        case (.optional(let inner), _): return try json(value, inner)
        case (.string, .bytes(let bytes)): return .string(String(decoding: bytes, as: UTF8.self))
        case (.bytes, .bytes(let bytes)): return .string(Base64.encode(bytes))
        case (.bool, .number(let number)): return .bool(number != 0)
        case (.integer, .number(let number)): return .integer(Int64(bitPattern: number))
        case (.double, .number(let number)): return .double(Double(bitPattern: number))
        case (.message(let name), .bytes(let bytes)): return .object(try message(name, bytes))
        case (.quantity, .bytes(let bytes)):
            return .string(try text(1, of: bytes) ?? "0")
        case (.time, .bytes(let bytes)): return try time(bytes)?.description.json ?? .null
        case (.microTime, .bytes(let bytes)): return try time(bytes)?.micro.json ?? .null
        case (.intOrString, .bytes(let bytes)):
            let numbers = try numbers(of: bytes)
            return numbers[1] == 1 ? .string(try text(3, of: bytes) ?? "") : .integer(numbers[2] ?? 0)
        case (.raw, .bytes(let bytes)):
            var reader = ProtobufReader(bytes)
            while let (number, value) = try reader.next() {
                if number == 1, case .bytes(let raw) = value { return try JSON(decoding: raw) }
            }
            return .null
        case (.wrappedList(let element), .bytes(let bytes)):
            var elements: [JSON] = []
            var reader = ProtobufReader(bytes)
            while let (number, value) = try reader.next() {
                guard number == 1 else { continue }
                elements.append(try json(value, element))
            }
            return .array(elements)
        default: throw Malformed(problem: "a field has another type than its kind's schema says")
        }
    }

    private static func text(_ field: Int, of bytes: ArraySlice<UInt8>) throws -> String? {
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            if number == field, case .bytes(let text) = value { return String(decoding: text, as: UTF8.self) }
        }
        return nil
    }

    private static func numbers(of bytes: ArraySlice<UInt8>) throws -> [Int: Int64] {
        var numbers: [Int: Int64] = [:]
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            if case .number(let value) = value { numbers[number] = Int64(bitPattern: value) }
        }
        return numbers
    }

    /// A moment; nil for Go's zero time, which is an empty message.
    private static func time(_ bytes: ArraySlice<UInt8>) throws -> Timestamp? {
        guard !bytes.isEmpty else { return nil }
        let numbers = try numbers(of: bytes)
        let time = Timestamp(seconds: Int(numbers[1] ?? 0), nanoseconds: Int(numbers[2] ?? 0))
        guard (Timestamp.earliest...Timestamp.latest).contains(time), (0..<1_000_000_000).contains(time.nanoseconds)
        else { throw Malformed(problem: "a time is not of the years 0 to 9999") }
        return time
    }
}

extension String {
    fileprivate var json: JSON { .string(self) }
}

extension JSON {
    /// A map's member; unlike the plain subscript it keeps null too.
    fileprivate subscript(entry key: String) -> JSON {
        get { self[key] }
        set {
            // Moved out, so that it is changed in place: a copy for each entry would take ever longer.
            var members = object ?? [:]
            self = .null
            members[key] = newValue
            self = .object(members)
        }
    }
}

extension ProtobufSchema.FieldType {
    fileprivate var unwrapped: Self {
        if case .optional(let inner) = self { inner } else { self }
    }

    fileprivate func omits(_ value: JSON) -> Bool {
        if case .null = value { return true }
        switch self {
        case .optional, .quantity, .intOrString, .raw, .wrappedList: return false
        default: break
        }
        switch value {
        case .string(let text): return text.isEmpty
        case .bool(let flag): return !flag
        case .integer(let number): return number == 0
        case .double(let number): return number == 0
        case .object(let members): return members.isEmpty
        default: return false
        }
    }
}
