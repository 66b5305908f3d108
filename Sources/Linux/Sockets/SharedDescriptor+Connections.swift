import Addresses
import CLinux
import Glibc

extension SharedDescriptor {
    /// The next connection to a socket that listens, closed on exec.
    public func accept() throws(SystemError) -> SharedDescriptor {
        try withRawValue { number throws(SystemError) in
            SharedDescriptor(owning: try check("accept") { clinux_accept(number) })
        }
    }

    /// Connects a TCP socket to a port of 127.0.0.1, or of ::1, in its network namespace.
    ///
    /// - Parameter family: the socket's own, `AF_INET` or `AF_INET6`.
    public func connect(
        toLoopback port: UInt16, family: Int32 = AF_INET, within limit: Duration = .seconds(10)
    ) async throws(SystemError) {
        guard family == AF_INET6 else {
            return try await connect(to: IPv4Address(127, 0, 0, 1), port: port, within: limit)
        }
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = port.bigEndian
        name.sin6_addr = in6addr_loopback
        try await connect(to: name, within: limit)
    }

    /// Connects a TCP socket in its network namespace, without keeping a thread where that takes its time. The socket is
    /// non-blocking from then on.
    ///
    /// - Throws: `connect`, with the reason; also `ETIMEDOUT` after `limit`, and `ECANCELED` where the task is cancelled.
    public func connect(
        to address: IPv4Address, port: UInt16, within limit: Duration
    ) async throws(SystemError) {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = address.value.bigEndian
        try await connect(to: name, within: limit)
    }

    private func connect<Name>(to name: Name, within limit: Duration) async throws(SystemError) {
        try setNonBlocking(true)
        if try begin(name) { return }
        do {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await Poller.shared.writable(self)
                    return true
                }
                group.addTask {
                    try await Task.sleep(for: limit)
                    return false
                }
                defer { group.cancelAll() }
                guard try await group.next() ?? false else { throw SystemError("connect", errno: ETIMEDOUT) }
            }
        } catch {
            throw error as? SystemError ?? SystemError("connect", errno: ECANCELED)
        }
        try withRawValue { number throws(SystemError) in
            var reason: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            try check("getsockopt") { getsockopt(number, SOL_SOCKET, SO_ERROR, &reason, &length) }
            if reason != 0 { throw SystemError("connect", errno: reason) }
        }
    }

    /// - Returns: whether it is connected already.
    private func begin<Name>(_ name: Name) throws(SystemError) -> Bool {
        try withRawValue { number throws(SystemError) in
            let result = withUnsafePointer(to: name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(number, $0, socklen_t(MemoryLayout<Name>.size))
                }
            }
            if result == 0 { return true }
            guard errno == EINPROGRESS else { throw SystemError("connect") }
            return false
        }
    }
}
