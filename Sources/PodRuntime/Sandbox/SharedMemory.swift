import Glibc
import Linux

/// The memory filesystem that a sandbox's containers share as `/dev/shm`, mounted in the pod's directory.
package struct SharedMemory: Sendable {
    let directory: String

    package init(podDirectory: String) { directory = "\(podDirectory)/shm" }

    /// As container engines have it.
    static let options = "mode=1777,size=65536k"

    /// Mounts it anew. It blocks.
    func make() throws(SystemError) {
        remove()
        try makeDirectory(directory)
        // The pod outlives this process.
        try MemoryMount(at: directory, "shm", flags: Int(MS_NOEXEC), options: Self.options).leave()
    }

    /// What is mapped of it stays with those who have it. It blocks.
    package func remove() {
        unmountAll(at: directory)
        rmdir(directory)
    }
}
