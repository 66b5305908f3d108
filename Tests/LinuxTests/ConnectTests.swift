import Glibc
import TestSupport
import Testing

@testable import Linux

@Suite(.timeLimit(.minutes(1))) struct ConnectTests {
    private func listener(backlog: Int32?) throws -> (SharedDescriptor, UInt16) {
        let socket = try makeSocket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try socket.withRawValue { number throws(SystemError) in
            let bound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, length) == 0 && getsockname(number, $0, &length) == 0
                }
            }
            guard bound else { throw SystemError("bind") }
            if let backlog, listen(number, backlog) != 0 { throw SystemError("listen") }
        }
        return (SharedDescriptor(socket), UInt16(bigEndian: address.sin_port))
    }

    private func connect(to port: UInt16) async throws -> SharedDescriptor {
        let socket = SharedDescriptor(try makeSocket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue)))
        try await socket.connect(toLoopback: port)
        return socket
    }

    /// How many connections to a port of 127.0.0.1 have had no answer yet (SYN_SENT in proc_net_tcp(5)).
    private func unanswered(to port: UInt16) throws -> Int {
        let digits = String(port, radix: 16, uppercase: true)
        let remote = "0100007F:" + String(repeating: "0", count: 4 - digits.count) + digits
        let connections = try readFile("/proc/net/tcp")
        return connections.split(separator: "\n").count { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 && fields[2] == remote && fields[3] == "02"
        }
    }

    @Test func connectsToWhoListens() async throws {
        let (listener, port) = try listener(backlog: 1)
        let socket = try await connect(to: port)
        try listener.accept().write([7])
        try await Poller.shared.readable(socket)
        var byte: UInt8 = 0
        #expect(try socket.withRawValue { read($0, &byte, 1) } == 1 && byte == 7)
    }

    /// Nobody waits for long for one who never accepts.
    @Test func aFullListenerIsGivenUp() async throws {
        let (listener, port) = try listener(backlog: 0)
        let first = try await connect(to: port)
        let second = SharedDescriptor(try makeSocket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue)))
        await #expect(throws: SystemError("connect", errno: ETIMEDOUT)) {
            try await second.connect(toLoopback: port, within: .milliseconds(50))
        }
        withExtendedLifetime((listener, first)) {}
    }

    @Test func isRefusedWhereNobodyListens() async throws {
        let (bound, port) = try listener(backlog: nil)
        await #expect(throws: SystemError("connect", errno: ECONNREFUSED)) { _ = try await connect(to: port) }
        withExtendedLifetime(bound) {}
    }

    /// The kernel lets whoever connects wait where the listener's queue is full.
    @Test func aFullListenerKeepsNoThread() async throws {
        let (listener, port) = try listener(backlog: 0)
        let first = try await connect(to: port)
        // More of them than the pool has threads, which are as many as the machine has cores.
        let count = 4 * sysconf(Int32(_SC_NPROCESSORS_ONLN))
        let waiting = (0..<count).map { _ in Task { try await connect(to: port) } }
        try await eventually("all connections wait for an answer") { try unanswered(to: port) == count }
        for task in waiting { task.cancel() }
        for task in waiting {
            do {
                _ = try await task.value
            } catch let error as SystemError {
                #expect(error.errno == ECANCELED)
            }
        }
        withExtendedLifetime((listener, first)) {}
    }
}
