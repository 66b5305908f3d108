import Glibc
import Linux

/// The sockets that the holder of the cluster's namespaces keeps open (`martlet-init hold --sockets`), so that they
/// outlive the supervisor and whoever serves them: clients wait, and are not refused.
///
/// The holder's end of the connection, the other end and the sockets are all descriptors of the holder, from which each
/// supervisor takes what it needs.
struct SocketKeeper: Sendable {
    private let holder: pid_t
    private let connection: SharedDescriptor

    /// As in hold.c.
    private static let otherEnd: Int32 = 15
    static let places = Int32(16)..<Int32(1 << 20)

    /// - Throws: where the holder is gone, or of a version that keeps nothing.
    init(of holder: pid_t) throws(SystemError) {
        self.holder = holder
        connection = SharedDescriptor(try duplicateDescriptor(Self.otherEnd, of: holder))
        // A holder that is stopped is not waited for.
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        try connection.withRawValue { number throws(SystemError) in
            let length = socklen_t(MemoryLayout<timeval>.size)
            guard setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, length) == 0 else {
                throw SystemError("setsockopt", "the holder's connection")
            }
        }
    }

    /// What the holder keeps, by its places.
    func kept() -> [(place: Int32, descriptor: SharedDescriptor)] {
        let names = (try? listDirectory("/proc/\(holder)/fd")) ?? []
        return names.compactMap(Int32.init).filter(Self.places.contains).sorted().compactMap { place in
            guard let descriptor = try? duplicateDescriptor(place, of: holder) else { return nil }
            return (place, SharedDescriptor(descriptor))
        }
    }

    /// Makes the holder keep a socket; it does when this returns.
    func keep(_ socket: SharedDescriptor, at place: Int32, sequence: UInt32) throws(SystemError) {
        try request(place, sequence, [socket])
    }

    /// Makes the holder close the socket at a place; it has when this returns.
    func drop(_ place: Int32, sequence: UInt32) throws(SystemError) { try request(place, sequence, []) }

    private func request(
        _ place: Int32, _ sequence: UInt32, _ descriptors: [SharedDescriptor]
    ) throws(SystemError) {
        var message: [UInt8] = []
        for number in [sequence, UInt32(place)] { withUnsafeBytes(of: number) { message += $0 } }
        let socket = UnixSocket(descriptor: connection)
        try socket.send(message, descriptors: descriptors)
        // An answer to a supervisor that died before it had it may come first.
        while true {
            let answer = try socket.receive(atMost: 16).bytes
            guard answer.count == 4 else { throw SystemError("ask the holder", errno: EPIPE) }
            if answer.withUnsafeBytes({ $0.loadUnaligned(as: UInt32.self) }) == sequence { return }
        }
    }
}
