import Addresses
import Glibc
import Linux
import Testing

/// Runs what blocks on a thread outside the cooperative pool, which has two.
func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await Blocking.run { () throws -> Result in try body() }
}

/// A network namespace of its own, kept by a sleeping process that ends with this object.
final class TestNamespace: Sendable {
    let descriptor: SharedDescriptor
    private let pid: Int32

    static let isPossible = geteuid() == 0

    /// It blocks until the process is there.
    init() throws {
        pid = try Spawn(["/usr/bin/unshare", "-n", "/bin/sleep", "120"], environment: []).start()
        let own = try namespaceIdentity(.net, of: getpid())
        var found: SharedDescriptor?
        for _ in 0..<20_000 where found == nil {
            if try namespaceIdentity(.net, of: pid) != own { found = try openNamespace(.net, of: pid) }
            usleep(1000)
        }
        descriptor = try #require(found, "unshare made no namespace within 20 s")
    }

    deinit {
        kill(pid, SIGKILL)
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
    }

    /// Joins this namespace to a node's `cbr0`, as a pod is.
    func join(node: TestNamespace, address: String, gateway: String, name: String) throws {
        let address = try #require(IPv4Address(address))
        let gateway = try #require(IPv4Address(gateway))
        var outer = try RouteSocket(namespace: node.descriptor)
        let bridge = try #require(try outer.index(of: "cbr0"))
        try outer.perform([.addVeth(name, peer: "eth0", in: .descriptor(descriptor), master: bridge)])
        var inner = try RouteSocket(namespace: descriptor)
        let link = try #require(try inner.index(of: "eth0"))
        let loopback = try #require(try inner.index(of: "lo"))
        try inner.perform([
            .setUp(loopback), .setUp(link), .addAddress(address, prefix: 32, to: link),
            .addRoute(to: gateway, prefix: 32, link: link), .addRoute(to: IPv4Address(0), prefix: 0, via: gateway),
        ])
    }

    func listen(_ address: String, _ port: Int, type: __socket_type = SOCK_STREAM) throws -> TestSocket {
        let socket = try TestSocket(self, type)
        try socket.bind(address, port)
        if type == SOCK_STREAM { try #require(Glibc.listen(socket.descriptor, 64) == 0) }
        return socket
    }

    /// Connects; an error is the system's errno.
    func connect(_ address: String, _ port: Int, type: __socket_type = SOCK_STREAM) throws -> TestSocket {
        let socket = try TestSocket(self, type)
        try socket.connect(address, port)
        return socket
    }
}

/// A socket in a namespace, that gives up after ten seconds. Its calls block.
final class TestSocket: Sendable {
    private let socket: SharedDescriptor

    struct Failure: Error, Equatable { let errno: Int32 }

    init(_ namespace: TestNamespace, _ type: __socket_type) throws {
        socket = SharedDescriptor(
            try makeSocket(in: namespace.descriptor, domain: AF_INET, type: Int32(type.rawValue)))
        limit()
    }

    private init(accepted socket: SharedDescriptor) {
        self.socket = socket
        limit()
    }

    /// Its own as long as this object lives.
    var descriptor: Int32 { (try? socket.withRawValue { $0 }) ?? -1 }

    private func limit() {
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    func bind(_ address: String, _ port: Int) throws {
        try withAddress(address, port) { Glibc.bind(descriptor, $0, $1) }
    }

    func connect(_ address: String, _ port: Int) throws {
        try withAddress(address, port) { Glibc.connect(descriptor, $0, $1) }
    }

    /// The next connection, with its client's address.
    func accept() throws -> (socket: TestSocket, client: String) {
        let accepted: SharedDescriptor
        do { accepted = try socket.accept() } catch { throw Failure(errno: error.errno) }
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = try accepted.withRawValue { number in
            withUnsafeMutablePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(number, $0, &length) }
            }
        }
        guard result == 0 else { throw Failure(errno: errno) }
        return (TestSocket(accepted: accepted), IPv4Address(UInt32(bigEndian: name.sin_addr.s_addr)).description)
    }

    func send(_ text: String) throws {
        guard Glibc.send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL)) == text.utf8.count else {
            throw Failure(errno: errno)
        }
    }

    /// Sends the next datagram back to where it came from.
    func answerDatagram() throws {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let count = recvfrom(descriptor, &buffer, buffer.count, 0, address, &length)
                return count < 0 ? -1 : sendto(descriptor, buffer, count, 0, address, length)
            }
        }
        guard result >= 0 else { throw Failure(errno: errno) }
    }

    func receive() throws -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw Failure(errno: errno) }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    private func withAddress(
        _ address: String, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(port).bigEndian
        name.sin_addr.s_addr = try #require(IPv4Address(address)).value.bigEndian
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(errno: errno) }
    }
}
