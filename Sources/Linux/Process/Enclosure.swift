import CLinux
import Glibc

/// What is left to a process that reads what others wrote: one directory, few rights, and so much memory and time.
public struct Enclosure: Sendable {
    /// The process's root directory. A user who may make no namespaces keeps the machine's.
    public var directory: String
    /// Numbers as in capabilities(7); what root keeps.
    public var capabilities: [Int32]
    /// Bytes of address space.
    public var memory: Int
    /// Bytes of each file that it writes.
    public var fileSize: Int64
    /// Seconds of processor time.
    public var time: Int

    /// To make files of any owner and mode, with the capabilities that files have, and no devices.
    public static let filesOfAnyOwner = [CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_SETFCAP]

    public init(directory: String, capabilities: [Int32], memory: Int, fileSize: Int64, time: Int) {
        self.directory = directory
        self.capabilities = capabilities
        self.memory = memory
        self.fileSize = fileSize
        self.time = time
    }

    /// Encloses this process, for good: it can make no sockets, start no programs and load no libraries. Its standard
    /// streams stay open, and no other descriptors.
    ///
    /// - Throws: also where the process has more than one thread: the others would stay as they are.
    public func enter() throws(SystemError) {
        var step: UnsafePointer<CChar>?
        let result = directory.withCString { directory in
            var confinement = clinux_confinement(
                directory: directory, capabilities: capabilities.reduce(0) { $0 | 1 << UInt64($1) },
                memory: UInt64(memory), file_size: UInt64(fileSize), time: UInt64(time))
            return clinux_confine(&confinement, &step)
        }
        guard result == 0 else {
            throw SystemError(step.map { String(cString: $0) } ?? "enclose", directory)
        }
    }
}
