import KubernetesModel

/// The state of one run of a container.
package struct ContainerState: Sendable, Hashable {
    package enum Phase: Sendable, Hashable {
        case running
        /// `code` is the exit code, or 128 + `signal`.
        case exited(code: Int32, signal: Int32, outOfMemory: Bool, at: Timestamp)
    }

    package var id: ContainerID
    /// In the node's PID namespace, as the host's `ps` shows it.
    package var pid: Int32
    package var startedAt: Timestamp
    package var phase: Phase

    package init(id: ContainerID, pid: Int32, startedAt: Timestamp, phase: Phase) {
        self.id = id
        self.pid = pid
        self.startedAt = startedAt
        self.phase = phase
    }
}
