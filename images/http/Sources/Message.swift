/// A request with its whole body.
public struct Request {
    public let method: String
    /// The path with its query.
    public let target: String
    /// The path alone.
    public let path: String
    public internal(set) var body: [UInt8] = []
    let isHTTP11: Bool
    private let headers: [(name: String, value: String)]

    /// The value of a header, by its name in lower case.
    public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    var keepsAlive: Bool {
        let connection = header("connection")?.lowercased() ?? ""
        return isHTTP11 ? !connection.contains("close") : connection.contains("keep-alive")
    }

    /// Where the body begins; nil where the head is not complete.
    static func headEnd(in bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBufferPointer { bytes in
            var index = 3
            while index < bytes.count {
                switch bytes[index] {
                case 10:
                    if bytes[index - 1] == 13, bytes[index - 2] == 10, bytes[index - 3] == 13 { return index + 1 }
                    index += 1
                case 13: index += 1
                default: index += 4  // no line end within the last four bytes can begin before the next one
                }
            }
            return nil
        }
    }

    /// From a head with its empty line; nil where it is no HTTP/1 request.
    init?(head: ArraySlice<UInt8>) {
        var lines = head.split(separator: 10)
        guard let first = lines.first else { return nil }
        let parts = first.split(separator: 32).map {
            String(decoding: $0.last == 13 ? $0.dropLast() : $0, as: UTF8.self)
        }
        guard parts.count == 3, parts[2] == "HTTP/1.1" || parts[2] == "HTTP/1.0", parts[1].hasPrefix("/") else {
            return nil
        }
        method = parts[0]
        target = parts[1]
        path = String(parts[1].prefix { $0 != "?" })
        isHTTP11 = parts[2] == "HTTP/1.1"
        lines.removeFirst()
        var headers: [(name: String, value: String)] = []
        for line in lines where line.count > 1 {
            guard let colon = line.firstIndex(of: 58), colon > line.startIndex else { return nil }
            let name = line[..<colon].map { (65...90).contains($0) ? $0 + 32 : $0 }
            let value = line[(colon + 1)...].drop { $0 == 32 || $0 == 9 }
            let end = value.lastIndex { $0 != 32 && $0 != 9 && $0 != 13 }.map { $0 + 1 } ?? value.startIndex
            headers.append((String(decoding: name, as: UTF8.self), String(decoding: value[..<end], as: UTF8.self)))
        }
        self.headers = headers
    }
}

public struct Response {
    public var status: Int
    public var headers: [(name: String, value: String)] = []
    public var body: [UInt8] = []

    /// An answer with the status's own text as its body.
    public init(status: Int) {
        self.status = status
        if status != 200 { body = Array((Self.reason(status) + "\n").utf8) }
        headers = [("Content-Type", "text/plain; charset=utf-8")]
    }

    /// An answer of JSON text.
    public init(status: Int = 200, json: String) {
        self.status = status
        headers = [("Content-Type", "application/json")]
        body = Array((json + "\n").utf8)
    }

    func encode(into bytes: inout [UInt8], withBody: Bool, closes: Bool) {
        var head = "HTTP/1.1 \(status) \(Self.reason(status))\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        head += closes ? "Connection: close\r\n\r\n" : "\r\n"
        bytes += head.utf8
        if withBody { bytes += body }
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        default: "Status"
        }
    }
}
