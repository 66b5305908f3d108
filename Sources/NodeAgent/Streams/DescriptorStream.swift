import Glibc
import Linux
import SystemPackage

/// Reads and writes descriptors that may not be ready, without blocking a thread.
enum DescriptorStream {
    /// To be done once, before the other calls.
    static func prepare(_ descriptor: FileDescriptor) {
        _ = fcntl(descriptor.rawValue, F_SETFL, fcntl(descriptor.rawValue, F_GETFL) | O_NONBLOCK)
    }

    /// The next bytes; nil at the end, which for a terminal is that no program has it open.
    static func read(_ descriptor: FileDescriptor) async throws -> [UInt8]? {
        while true {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 32768) { buffer, used in
                count = Glibc.read(descriptor.rawValue, buffer.baseAddress, buffer.count)
                used = max(0, count)
            }
            if count > 0 { return bytes }
            if count == 0 || errno == EIO { return nil }
            switch errno {
            case EAGAIN: try await Poller.shared.readable(descriptor)
            case EINTR: continue
            default: throw SystemError("read")
            }
        }
    }

    /// Writes all of the bytes; false where nobody reads them any more.
    static func write(_ descriptor: FileDescriptor, _ bytes: [UInt8]) async throws -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor.rawValue, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                try await Poller.shared.writable(descriptor)
            } else if errno == EPIPE || errno == EIO || errno == ECONNRESET {
                return false
            } else if errno != EINTR {
                throw SystemError("write")
            }
        }
        return true
    }
}

/// Ends this side's stream of a connection.
func shutdownWriting(_ descriptor: FileDescriptor) { shutdown(descriptor.rawValue, Int32(SHUT_WR)) }
