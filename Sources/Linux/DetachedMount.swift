import CLinux
import Glibc

/// A mount that is nowhere yet: whoever has its descriptor can put it in its own mount namespace (move_mount(2)). What is
/// mounted later where it comes from is not seen there.
public struct DetachedMount: Sendable {
    public let descriptor: SharedDescriptor

    /// Attributes of a mount (`MOUNT_ATTR_*` of mount_setattr(2)).
    public struct Attributes: OptionSet, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        public static let readOnly = Attributes(rawValue: 1)
        public static let noSetUID = Attributes(rawValue: 2)
        public static let noDevices = Attributes(rawValue: 4)
        public static let noExecute = Attributes(rawValue: 8)
    }

    /// One that somebody else has made.
    init(descriptor: SharedDescriptor) { self.descriptor = descriptor }

    /// Shows what is at `path`, with what is mounted below it unless that is not wanted.
    ///
    /// - Parameter attributes: added to those that the mount and those below it have.
    public init(of path: String, recursive: Bool = true, _ attributes: Attributes = []) throws(SystemError) {
        descriptor = SharedDescriptor(
            owning: try check("open_tree", path) { clinux_clone_mount(AT_FDCWD, path, recursive ? 1 : 0) })
        try add(attributes, recursive: recursive, path)
    }

    /// Shows an open file or directory (`O_PATH` is enough), with what is mounted below it.
    public init(of file: borrowing Descriptor, _ attributes: Attributes = []) throws(SystemError) {
        descriptor = try file.withRawValue { number throws(SystemError) in
            SharedDescriptor(owning: try check("open_tree") { clinux_clone_mount(number, "", 1) })
        }
        try add(attributes, recursive: true, "")
    }

    private func add(_ attributes: Attributes, recursive: Bool, _ subject: String) throws(SystemError) {
        try descriptor.withRawValue { number throws(SystemError) in
            _ = try check("mount_setattr", subject) {
                clinux_set_mount_attributes(number, attributes.rawValue, recursive ? 1 : 0)
            }
        }
    }
}
