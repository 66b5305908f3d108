import Glibc
import Linux

/// The memory filesystem that a sandbox's containers share as `/dev/shm`, mounted in the pod's directory.
package struct SharedMemory: Sendable {
    let folder: String

    package init(podFolder: String) { folder = "\(podFolder)/shm" }

    /// As container engines have it.
    static let options = "mode=1777,size=65536k"

    /// Mounts it anew. It blocks.
    func make() throws(SystemError) {
        remove()
        try makeFolder(folder)
        if mount("shm", folder, "tmpfs", UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC), Self.options) != 0 {
            throw SystemError("mount tmpfs", folder)
        }
    }

    /// What is mapped of it stays with those who have it. It blocks.
    package func remove() {
        while isMountPoint(folder) { if umount2(folder, Int32(MNT_DETACH)) != 0 { break } }
        rmdir(folder)
    }
}
