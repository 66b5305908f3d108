import Glibc
import Linux
import SystemPackage

/// Reports when a log file, or its rotation, has something new.
final class LogWatch: Sendable {
    private let descriptor: FileDescriptor

    /// Watches the directory: the file may be yet to come.
    init(folder: String) throws(SystemError) {
        let raw = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard raw >= 0 else { throw SystemError("inotify_init1") }
        descriptor = FileDescriptor(rawValue: raw)
        if inotify_add_watch(raw, folder, UInt32(IN_MODIFY | IN_CREATE)) < 0 {
            throw SystemError("inotify_add_watch", folder)
        }
    }

    deinit { close(descriptor.rawValue) }

    func changed() async throws { _ = try await DescriptorStream.read(descriptor) }
}
