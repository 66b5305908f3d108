import CLinux
import Glibc
import SystemPackage

/// A kind of namespace, as the files of `/proc/PID/ns` are called.
public enum NamespaceKind: String, Sendable, CaseIterable {
    case user, mnt, net, pid, uts, ipc, cgroup
}

/// Opens a process's namespace. The namespace exists as long as the descriptor is open.
public func openNamespace(_ kind: NamespaceKind, of pid: Int32) throws(SystemError) -> FileDescriptor {
    let path = "/proc/\(pid)/ns/\(kind.rawValue)"
    return FileDescriptor(rawValue: try check("open", path) { open(path, O_RDONLY | O_CLOEXEC) })
}

/// Which namespace a process is in: equal for two processes in the same one.
public func namespaceIdentity(_ kind: NamespaceKind, of pid: Int32) throws(SystemError) -> UInt64 {
    let path = "/proc/\(pid)/ns/\(kind.rawValue)"
    var status = stat()
    try check("stat", path) { stat(path, &status) }
    return UInt64(status.st_ino)
}

/// Makes a socket in another network namespace. It stays there: what it binds and connects to is that namespace's.
public func makeSocket(
    in namespace: FileDescriptor, domain: Int32, type: Int32, protocol: Int32 = 0
) throws(SystemError) -> FileDescriptor {
    FileDescriptor(
        rawValue: try check("socket") { clinux_socket_in(namespace.rawValue, domain, type, `protocol`) })
}

/// Runs `body` with the calling thread in another network namespace, then returns the thread to its own.
///
/// There, `/proc/sys/net` shows that namespace's settings. `body` must not block for long, nor suspend.
public func insideNetworkNamespace<Result>(
    _ namespace: FileDescriptor, _ body: () throws(SystemError) -> Result
) throws(SystemError) -> Result {
    let path = "/proc/thread-self/ns/net"
    let own = try check("open", path) { open(path, O_RDONLY | O_CLOEXEC) }
    defer { close(own) }
    try check("setns") { clinux_setns(namespace.rawValue, 0) }
    defer {
        // A thread left in a foreign namespace would harm whatever runs on it next.
        guard clinux_setns(own, 0) == 0 else { fatalError("setns to the own namespace: errno \(errno)") }
    }
    return try body()
}
