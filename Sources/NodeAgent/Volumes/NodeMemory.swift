import ClusterLayout
import Linux

/// The memory filesystem of a node, for volumes that hold Secrets and tokens.
///
/// One for all of the node's pods, and not one a volume as the kubelet has it: each container's start copies the table
/// of mounts, so its cost would grow with the number of pods. Pods see only what is mounted into them of it.
struct NodeMemory: Sendable {
    let directory: String

    init(_ node: NodePaths) { directory = node.memory }

    /// Mounts it, unless an earlier agent has. It blocks.
    func mount() throws(SystemError) {
        try makeDirectory(directory, mode: 0o700)
        guard !isMountPoint(directory) else { return }
        let memory: MemoryMount
        do throws(SystemError) {
            // Linux knows it since 6.4: before, what is in memory may get into the swap space.
            memory = try MemoryMount(at: directory, "martlet", options: "mode=700,noswap")
        } catch {
            memory = try MemoryMount(at: directory, "martlet", options: "mode=700")
        }
        // The pods outlive this process.
        memory.leave()
    }
}
