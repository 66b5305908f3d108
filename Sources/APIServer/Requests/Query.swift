import KubernetesModel

/// A request's path and query, parsed and percent-decoded.
struct RequestTarget: Sendable {
    /// The path before decoding, for proxying.
    let rawPath: String
    let rawQuery: String
    /// The non-empty segments of the path.
    let segments: [String]
    let query: Query

    init(_ target: String) {
        let mark = target.utf8.firstIndex(of: UInt8(ascii: "?"))
        rawPath = String(target[..<(mark ?? target.endIndex)])
        rawQuery = mark.map { String(target[target.index(after: $0)...]) } ?? ""
        segments = rawPath.utf8.split(separator: UInt8(ascii: "/")).map { percentDecoded($0, plusIsSpace: false) }
        query = Query(rawQuery)
    }

    var path: String { "/" + segments.joined(separator: "/") }
}

/// The parameters of a query, in order.
struct Query: Sendable {
    private let parameters: [(name: String, value: String)]

    init(_ text: String) {
        parameters = text.utf8.split(separator: UInt8(ascii: "&")).map { part in
            let equals = part.firstIndex(of: UInt8(ascii: "="))
            let name = percentDecoded(part[..<(equals ?? part.endIndex)], plusIsSpace: true)
            guard let equals else { return (name, "") }
            return (name, percentDecoded(part[part.index(after: equals)...], plusIsSpace: true))
        }
    }

    /// The first value of a parameter; nil where it is missing or empty.
    subscript(name: String) -> String? {
        guard let value = parameters.first(where: { $0.name == name })?.value, !value.isEmpty else { return nil }
        return value
    }

    var names: Set<String> { Set(parameters.map(\.name)) }

    func all(_ name: String) -> [String] { parameters.filter { $0.name == name }.map(\.value) }

    /// As Kubernetes reads flags: only `0` and `false` are not true.
    func flag(_ name: String) -> Bool {
        guard let parameter = parameters.first(where: { $0.name == name }) else { return false }
        return parameter.value != "0" && parameter.value.lowercased() != "false"
    }

    /// - Throws: `BadRequest` for what is no number.
    func int(_ name: String) throws(Status) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text) else {
            throw .badRequest("strconv.ParseInt: parsing \"\(text)\": invalid syntax")
        }
        return number
    }
}

func percentDecoded(_ text: some Collection<UInt8>, plusIsSpace: Bool) -> String {
    guard text.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
        return String(decoding: text, as: UTF8.self)
    }
    func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
    let bytes = Array(text)
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
        let byte = bytes[position]
        if byte == UInt8(ascii: "%"), position + 2 < bytes.count, let high = digit(bytes[position + 1]),
            let low = digit(bytes[position + 2])
        {
            decoded.append(high << 4 | low)
            position += 3
            continue
        }
        decoded.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
        position += 1
    }
    return String(decoding: decoded, as: UTF8.self)
}
