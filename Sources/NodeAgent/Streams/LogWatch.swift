import Glibc
import Linux

/// Reports when a log file, or its rotation, has something new.
final class LogWatch: Sendable {
    private let descriptor: SharedDescriptor

    /// Watches the directory: the file may be yet to come.
    init(directory: String) throws(SystemError) {
        descriptor = SharedDescriptor(try makeWatch(of: directory, UInt32(IN_MODIFY | IN_CREATE)))
    }

    func changed() async throws { _ = try await DescriptorStream.read(descriptor) }
}
