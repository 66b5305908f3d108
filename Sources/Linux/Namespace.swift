import CLinux
import Glibc

/// A kind of namespace, as the files of `/proc/PID/ns` are called.
public enum NamespaceKind: String, Sendable, CaseIterable {
    case user, mnt, net, pid, uts, ipc, cgroup
}

/// Opens a process's namespace. The namespace exists as long as the descriptor is open.
public func openNamespace(_ kind: NamespaceKind, of pid: Int32) throws(SystemError) -> SharedDescriptor {
    SharedDescriptor(try Descriptor.open("/proc/\(pid)/ns/\(kind.rawValue)", O_RDONLY))
}

/// Which namespace a process is in: equal for two processes in the same one.
public func namespaceIdentity(_ kind: NamespaceKind, of pid: Int32) throws(SystemError) -> UInt64 {
    let path = "/proc/\(pid)/ns/\(kind.rawValue)"
    var status = stat()
    try check("stat", path) { stat(path, &status) }
    return UInt64(status.st_ino)
}

/// Makes a socket, closed on exec, in a network namespace, or in this process's own. It stays there: what it binds and connects to is that namespace's.
public func makeSocket(
    in namespace: SharedDescriptor? = nil, domain: Int32, type: Int32, protocol: Int32 = 0
) throws(SystemError) -> Descriptor {
    guard let namespace else {
        return Descriptor(
            owning: try check("socket") { socket(domain, type | Int32(SOCK_CLOEXEC.rawValue), `protocol`) })
    }
    return try namespace.withRawValue { space throws(SystemError) in
        Descriptor(owning: try check("socket") { clinux_socket_in(space, domain, type, `protocol`) })
    }
}

/// Runs `body` with the calling thread in another network namespace, then returns the thread to its own.
///
/// There, `/proc/sys/net` shows that namespace's settings. `body` must not block for long, nor suspend.
public func insideNetworkNamespace<Result>(
    _ namespace: SharedDescriptor, _ body: () throws(SystemError) -> Result
) throws(SystemError) -> Result {
    let own = try Descriptor.open("/proc/thread-self/ns/net", O_RDONLY)
    try namespace.withRawValue { space throws(SystemError) in _ = try check("setns") { clinux_setns(space, 0) } }
    defer {
        // A thread left in a foreign namespace would harm whatever runs on it next.
        let result = own.withRawValue { clinux_setns($0, 0) }
        if result != 0 { fatalError("setns to the own namespace: errno \(errno)") }
    }
    return try body()
}
