import CInitProtocol
import Linux

/// One packet from the init (`CInitProtocol.h`).
struct InitMessage: Sendable {
    let type: UInt8
    /// 0, or an errno.
    let status: Int32
    let tag: UInt32
    let body: [UInt8]
    var descriptors: [SharedDescriptor]
    /// The container's process, in the numbers of this PID namespace; 0 for none.
    let process: Int32

    init?(_ message: PacketSocket.Message) {
        let headerSize = MemoryLayout<InitHeader>.size
        guard message.bytes.count >= headerSize else { return nil }
        let header = message.bytes.withUnsafeBytes { $0.loadUnaligned(as: InitHeader.self) }
        type = header.type
        status = Int32(header.status)
        tag = header.tag
        body = Array(message.bytes[headerSize...])
        descriptors = message.descriptors
        process = message.process
    }

    static func request(_ type: InitRequest, flags: InitFlags = [], tag: UInt32, body: [UInt8]) -> [UInt8] {
        let header = InitHeader(type: type.rawValue, flags: flags.rawValue, status: 0, tag: tag)
        return withUnsafeBytes(of: header) { Array($0) } + body
    }
}

/// Reads a body's numbers and strings in order.
struct BodyReader {
    private var rest: ArraySlice<UInt8>

    init(_ body: [UInt8]) { rest = body[...] }

    mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_ type: Number.Type) -> Number {
        let size = MemoryLayout<Number>.size
        guard rest.count >= size else { return 0 }
        defer { rest = rest.dropFirst(size) }
        return rest.prefix(size).reversed().reduce(0) { $0 << 8 | Number($1) }
    }

    mutating func string() -> String {
        let text = rest.prefix { $0 != 0 }
        rest = rest.dropFirst(text.count + 1)
        return String(decoding: text, as: UTF8.self)
    }
}

extension [UInt8] {
    mutating func append<Number: FixedWidthInteger>(number: Number) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    /// Appends a string and its terminator. A NUL within would be a border: the string ends there.
    mutating func append(terminated text: String) {
        append(contentsOf: text.utf8.prefix { $0 != 0 })
        append(0)
    }
}
