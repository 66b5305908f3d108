import ClusterLayout
import KubernetesModel
import Linux

/// Ends clusters from the command line, with the help of their supervisors where these live.
public struct ClusterEnd: Sendable {
    private let paths: ClusterPaths
    private let waiting: @Sendable (String) -> Void

    /// - Parameter waiting: receives whom the command has to wait for.
    public init(_ paths: ClusterPaths, waiting: @escaping @Sendable (String) -> Void) {
        self.paths = paths
        self.waiting = waiting
    }

    /// Ends the cluster's processes and keeps its state.
    ///
    /// Where the task is cancelled, the supervisor goes on with it.
    public func stop() async throws {
        guard try ClusterConfiguration.load(paths.configuration) != nil else {
            throw SupervisorError.notRunning(profile: paths.profile)
        }
        try await ProfileLock.hold(paths, for: "stop", waiting: waiting) { _ in
            try await end(gracefully: true)
        }
    }

    /// Ends the cluster's processes and removes all that it has left, its context in the user's kubeconfig included.
    ///
    /// Where the task is cancelled before the processes have ended, the cluster stays, running or stopped.
    public func delete() async throws {
        try await ProfileLock.hold(paths, for: "delete", waiting: waiting) { _ in try await remove() }
    }

    /// Deletes the cluster if its time is over (`start --ttl`).
    ///
    /// - Parameter patience: how long to wait for another command.
    /// - Returns: whether it was.
    public func deleteIfExpired(patience: Duration = ProfileLock.patience) async throws -> Bool {
        @Sendable func isExpired() throws -> Bool {
            try ClusterConfiguration.load(paths.configuration)?.isExpired ?? false
        }
        guard try isExpired() else { return false }
        return try await ProfileLock.hold(paths, for: "delete", patience: patience, waiting: waiting) { _ in
            guard try isExpired() else { return false }
            try await remove()
            return true
        }
    }

    /// As `delete`, for whoever has the profile's lock.
    func remove() async throws {
        try await end(gracefully: false)
        // A kubeconfig that cannot be changed is no reason to keep the cluster.
        let context = Result { try UserKubeconfig().remove(paths.profile) }
        try Teardown(paths: paths).removeDirectories()
        try context.get()
    }

    private func end(gracefully: Bool) async throws {
        let limit = gracefully ? Duration.seconds(30) : .seconds(10)
        let supervisor = SupervisorLock.supervisor(paths)
        let connection = try? ControlConnection(paths)
        if let connection {
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    // It may end before it answers.
                    _ = try? await connection.request(["op": "stop", "gracefully": .bool(gracefully)])
                    await connection.waitForEnd()
                }
                tasks.addTask { try? await Task.sleep(for: limit) }
                await tasks.next()
                tasks.cancelAll()
            }
        }
        await supervisor?.waitForEnd(atMost: connection == nil ? limit : .seconds(2))
        try Task.checkCancellation()
        // From here on in a task of its own: what is begun comes to its end.
        await Task { await Teardown(paths: paths).endProcesses(gracefully: gracefully) }.value
    }
}
