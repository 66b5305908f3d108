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
