import Linux
import SystemPackage

/// What the agent and a pod's `martlet-init` say to each other. The other side is `martlet-init/protocol.h`, which
/// explains each of these: change both.
enum InitRequest: UInt8 {
    case network = 1
    case start = 2
    case exec = 3
    case attach = 4
    case signal = 5
    case forget = 6
    case list = 7
    case socket = 8
    case end = 9
}

enum InitEvent {
    static let answerBit: UInt8 = 0x80
    static let state: UInt8 = 0x40
    static let execExit: UInt8 = 0x41
}

struct InitFlags: OptionSet {
    let rawValue: UInt8
    static let terminal = InitFlags(rawValue: 1)
    static let stdin = InitFlags(rawValue: 2)
    static let stdinOnce = InitFlags(rawValue: 4)
    static let ownProcesses = InitFlags(rawValue: 8)
}

/// One packet from the init.
struct InitMessage: Sendable {
    let type: UInt8
    /// 0, or an errno.
    let status: Int32
    let tag: UInt32
    let body: [UInt8]
    var descriptors: [FileDescriptor]
    /// The container's process, in the numbers of this PID namespace; 0 where none was told.
    let process: Int32

    static let headerSize = 8

    init?(_ message: PacketSocket.Message) {
        let bytes = message.bytes
        guard bytes.count >= Self.headerSize else { return nil }
        type = bytes[0]
        (status, tag) = bytes.withUnsafeBytes {
            (
                Int32($0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)),
                $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            )
        }
        body = Array(bytes[Self.headerSize...])
        descriptors = message.descriptors
        process = message.process
    }

    static func request(_ type: InitRequest, flags: InitFlags = [], tag: UInt32, body: [UInt8]) -> [UInt8] {
        [type.rawValue, flags.rawValue, 0, 0] + withUnsafeBytes(of: tag.littleEndian) { Array($0) } + body
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
