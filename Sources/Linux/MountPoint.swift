import Glibc

/// Whether a filesystem begins at `path`.
package func isMountPoint(_ path: String) -> Bool {
    var own = stat()
    var parent = stat()
    guard lstat(path, &own) == 0, lstat(path + "/..", &parent) == 0 else { return false }
    return own.st_dev != parent.st_dev
}

/// Unmounts all that is mounted at `path`. What is mapped or open of it stays with those who have it.
package func unmountAll(at path: String) {
    while isMountPoint(path), umount2(path, Int32(MNT_DETACH)) == 0 {}
}

/// A memory filesystem (tmpfs) that this value has mounted: unmounted when the value ends, unless it is left to its
/// directory.
package struct MemoryMount: ~Copyable {
    private let path: String
    private var isLeft = false

    /// - Parameter options: such as `mode=1777,size=65536k`.
    package init(at path: String, _ name: String = "tmpfs", flags: Int = 0, options: String) throws(SystemError) {
        guard mount(name, path, "tmpfs", UInt(MS_NOSUID | MS_NODEV | flags), options) == 0 else {
            throw SystemError("mount tmpfs", path)
        }
        self.path = path
    }

    /// Leaves the filesystem to whoever removes its directory, also after the end of this process.
    package consuming func leave() { isLeft = true }

    deinit { if !isLeft { umount2(path, Int32(MNT_DETACH)) } }
}
