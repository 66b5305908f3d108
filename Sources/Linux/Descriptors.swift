import CLinux
import Glibc
import SystemPackage

/// Makes a pipe; both ends are closed on exec.
public func makePipe() throws(SystemError) -> (reader: FileDescriptor, writer: FileDescriptor) {
    var ends: [Int32] = [-1, -1]
    try check("pipe") { clinux_pipe(&ends) }
    return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
}

extension FileDescriptor {
    /// Another descriptor of the same open file, closed on exec.
    public func copy() throws(SystemError) -> FileDescriptor {
        FileDescriptor(rawValue: try check("dup") { fcntl(rawValue, F_DUPFD_CLOEXEC, 0) })
    }
}
