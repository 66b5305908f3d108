import CLinux
import Glibc

/// The bytes of one netlink message: header, a fixed part, attributes (netlink(7)).
struct NetlinkMessage: Sendable {
    static let headerSize = MemoryLayout<nlmsghdr>.size
    private(set) var bytes: [UInt8]
    let type: UInt16
    let flags: UInt16

    init<Body: BitwiseCopyable>(_ type: some BinaryInteger, flags: Int32 = 0, _ body: Body) {
        self.type = UInt16(type)
        self.flags = UInt16(flags)
        bytes = []
        append(body)
    }

    mutating func append<Value: BitwiseCopyable>(_ value: Value) {
        withUnsafeBytes(of: value) { bytes += $0 }
        pad()
    }

    mutating func add(_ attribute: some RawRepresentable<some BinaryInteger>, _ value: UInt32) {
        add(attribute.rawValue) { $0.append(value) }
    }

    mutating func add(_ attribute: some BinaryInteger, _ value: UInt32) {
        add(attribute) { $0.append(value) }
    }

    mutating func add(_ attribute: some BinaryInteger, _ text: String) {
        let start = bytes.count
        bytes += [0, 0, 0, 0] + Array(text.utf8) + [0]
        finish(attribute, start)
    }

    mutating func add(_ attribute: some BinaryInteger, _ value: [UInt8]) {
        let start = bytes.count
        bytes += [0, 0, 0, 0] + value
        finish(attribute, start)
    }

    mutating func add(_ attribute: some RawRepresentable<some BinaryInteger>, _ text: String) {
        add(attribute.rawValue, text)
    }

    mutating func add(_ attribute: some RawRepresentable<some BinaryInteger>, _ value: [UInt8]) {
        add(attribute.rawValue, value)
    }

    mutating func nest(_ attribute: some BinaryInteger, _ fill: (inout NetlinkMessage) -> Void) {
        add(attribute, fill)
    }

    mutating func nest(
        _ attribute: some RawRepresentable<some BinaryInteger>, _ fill: (inout NetlinkMessage) -> Void
    ) {
        add(attribute.rawValue, fill)
    }

    /// The whole message with its header.
    func encoded(sequence: UInt32) -> [UInt8] {
        var header = nlmsghdr()
        header.nlmsg_len = UInt32(Self.headerSize + bytes.count)
        header.nlmsg_type = type
        header.nlmsg_flags = UInt16(NLM_F_REQUEST) | flags
        header.nlmsg_seq = sequence
        return withUnsafeBytes(of: header) { Array($0) } + bytes
    }

    private mutating func add(_ attribute: some BinaryInteger, _ fill: (inout NetlinkMessage) -> Void) {
        let start = bytes.count
        bytes += [0, 0, 0, 0]
        fill(&self)
        finish(attribute, start)
    }

    private mutating func finish(_ attribute: some BinaryInteger, _ start: Int) {
        let length = UInt16(bytes.count - start)
        withUnsafeBytes(of: length) { bytes.replaceSubrange(start..<start + 2, with: $0) }
        withUnsafeBytes(of: UInt16(attribute)) { bytes.replaceSubrange(start + 2..<start + 4, with: $0) }
        pad()
    }

    private mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }
}

/// Receives one datagram of a netlink socket and hands over each message in it.
func receiveNetlink(
    _ number: Int32, _ subject: String, _ each: (nlmsghdr, UnsafeRawBufferPointer) -> Void
) throws(SystemError) {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = try check("receive", subject) { recv(number, &buffer, buffer.count, 0) }
    buffer.withUnsafeBytes { bytes in
        var position = 0
        while position + NetlinkMessage.headerSize <= count {
            let header = bytes.loadUnaligned(fromByteOffset: position, as: nlmsghdr.self)
            let end = position + Int(header.nlmsg_len)
            guard header.nlmsg_len >= NetlinkMessage.headerSize, end <= count else { break }
            each(header, UnsafeRawBufferPointer(rebasing: bytes[position + NetlinkMessage.headerSize..<end]))
            position = (end + 3) & ~3
        }
    }
}
