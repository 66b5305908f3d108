import KubernetesModel

/// Decodes `application/vnd.kubernetes.protobuf` bodies, which kubectl sends since 1.32, to the JSON that the rest of
/// the pipeline works on. Answers are always JSON, which the same clients accept.
enum ProtobufDecoding {
    static let mediaType = "application/vnd.kubernetes.protobuf"
    /// `k8s` and a zero byte begin every body.
    private static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0]

    struct Malformed: Error {
        let problem: String
    }

    static func decode(_ body: [UInt8]) throws(Status) -> JSON {
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
        guard let fields = ProtobufSchema.builtIn.fields(of: name) else { return [:] }
        var members: [String: JSON] = [:]
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            guard let field = fields[number] else { continue }
            guard let name = field.name else {
                if case .message(let inner) = field.type.unwrapped, case .bytes(let bytes) = value {
                    members.merge(try message(inner, bytes)) { $1 }
                }
                continue
            }
            switch field.type.unwrapped {
            case .list(let element):
                members[name, default: .array([])].append(try json(value, element))
            case .map(let type):
                let (key, value) = try entry(value, type)
                members[name, default: .object([:])][entry: key] = value
            default:
                let decoded = try json(value, field.type)
                // What Go leaves out of JSON, because it is not a pointer and zero, is no value here either.
                if !field.type.omits(decoded) { members[name] = decoded }
            }
        }
        return members
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
        case (.duration, .bytes(let bytes)):
            let seconds = Double(try numbers(of: bytes)[1] ?? 0) / 1e9
            return .string(seconds == seconds.rounded() ? "\(Int(seconds))s" : "\(seconds)s")
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
        return Timestamp(seconds: Int(numbers[1] ?? 0), nanoseconds: Int(numbers[2] ?? 0))
    }
}

extension String {
    fileprivate var json: JSON { .string(self) }
}

extension JSON {
    /// A map's member; unlike the plain subscript it keeps what it is given, whatever that is.
    fileprivate subscript(entry key: String) -> JSON {
        get { self[key] }
        set {
            var members = object ?? [:]
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
        case .optional, .quantity, .intOrString, .raw, .duration, .wrappedList: return false
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

/// Reads the fields of a protobuf message (encoding of protocol buffers, "Message Structure").
struct ProtobufReader {
    enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() throws -> (Int, Value)? {
        guard !rest.isEmpty else { return nil }
        let tag = try varint()
        let number = Int(tag >> 3)
        switch tag & 7 {
        case 0: return (number, .number(try varint()))
        case 1: return (number, .number(try fixed(8)))
        case 2:
            let count = try varint()
            guard count <= UInt64(rest.count) else { throw ProtobufDecoding.Malformed(problem: "a field is cut off") }
            defer { rest = rest.dropFirst(Int(count)) }
            return (number, .bytes(rest.prefix(Int(count))))
        case 5: return (number, .number(try fixed(4)))
        default: throw ProtobufDecoding.Malformed(problem: "unknown wire type \(tag & 7)")
        }
    }

    private mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = rest.popFirst() {
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
            guard shift < 64 else { break }
        }
        throw ProtobufDecoding.Malformed(problem: "a number is cut off")
    }

    private mutating func fixed(_ count: Int) throws -> UInt64 {
        guard rest.count >= count else { throw ProtobufDecoding.Malformed(problem: "a number is cut off") }
        let bytes = rest.prefix(count)
        rest = rest.dropFirst(count)
        return bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
