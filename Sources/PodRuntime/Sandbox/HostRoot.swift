import CLinux
import Glibc
import Linux

/// What of the machine's filesystems matters to a container's root.
struct HostRoot: Sendable {
    /// The node's directory is on an overlay filesystem, as in a container: the kernel takes no writable layer from
    /// there, so containers' writable layers are in memory.
    let needsMemoryLayer: Bool
    /// Filesystems mounted below `/`, such as a `/usr` or `/home` of its own, which an overlay of `/` does not show.
    let mounts: [String]

    init(needsMemoryLayer: Bool, mounts: [String]) {
        self.needsMemoryLayer = needsMemoryLayer
        self.mounts = mounts
    }

    init(nodeDirectory: String) {
        var information = statfs()
        var directory = nodeDirectory[...]
        // The directory may not exist yet.
        while statfs(String(directory), &information) != 0, let slash = directory.lastIndex(of: "/") {
            directory = slash == directory.startIndex ? "/" : directory[..<slash]
            if directory == "/" {
                statfs("/", &information)
                break
            }
        }
        needsMemoryLayer = information.f_type == OVERLAYFS_SUPER_MAGIC
        mounts = Self.parse((try? readFile("/proc/self/mountinfo")) ?? "").filter { !nodeDirectory.hasPrefix($0 + "/") }
    }

    /// The mount points of disk filesystems in a `mountinfo`, but for the root and what containers get their own of.
    static func parse(_ mountinfo: String) -> [String] {
        let own = ["/proc", "/sys", "/dev", "/run", "/tmp"]
        var result: [String] = []
        for line in mountinfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 6, let dash = fields.firstIndex(of: "-"), fields.count > dash + 1 else { continue }
            let (point, type) = (String(fields[4]), fields[dash + 1])
            guard ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs"].contains(type), point != "/",
                !own.contains(where: { point == $0 || point.hasPrefix($0 + "/") }),
                // Below another that is taken with all that is below it.
                !result.contains(where: { point == $0 || point.hasPrefix($0 + "/") })
            else { continue }
            result.append(point)
        }
        return result
    }
}
