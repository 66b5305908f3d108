import Glibc

/// Reads and writes descriptors that may not be ready, without blocking a thread.
package enum DescriptorStream {
    /// To be done once, before the other calls.
    package static func prepare(_ descriptor: SharedDescriptor) { try? descriptor.setNonBlocking(true) }

    /// The next bytes; nil at the end, which for a terminal is that no program has it open.
    package static func read(_ descriptor: SharedDescriptor) async throws -> [UInt8]? {
        while true {
            switch try next(of: descriptor) {
            case .bytes(let bytes): return bytes
            case .end: return nil
            case .later: try await Poller.shared.readable(descriptor)
            }
        }
    }

    private enum Part {
        case bytes([UInt8])
        case end
        case later
    }

    private static func next(of descriptor: SharedDescriptor) throws(SystemError) -> Part {
        try descriptor.withRawValue { number throws(SystemError) in
            while true {
                var count = 0
                let bytes = [UInt8](unsafeUninitializedCapacity: 32768) { buffer, used in
                    count = Glibc.read(number, buffer.baseAddress, buffer.count)
                    used = max(0, count)
                }
                if count > 0 { return .bytes(bytes) }
                if count == 0 || errno == EIO { return .end }
                switch errno {
                case EAGAIN: return .later
                case EINTR: continue
                default: throw SystemError("read")
                }
            }
        }
    }

    /// Writes all of the bytes; false where nobody reads them any more.
    package static func write(_ descriptor: SharedDescriptor, _ bytes: [UInt8]) async throws -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let (count, reason) = try descriptor.withRawValue { number in
                let count = rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
                return (count, errno)
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if reason == EAGAIN {
                try await Poller.shared.writable(descriptor)
            } else if reason == EPIPE || reason == EIO || reason == ECONNRESET {
                return false
            } else if reason != EINTR {
                throw SystemError("write", errno: reason)
            }
        }
        return true
    }
}

/// Ends this side's stream of a connection.
package func shutdownWriting(_ descriptor: SharedDescriptor) {
    try? descriptor.withRawValue { _ = shutdown($0, Int32(SHUT_WR)) }
}
