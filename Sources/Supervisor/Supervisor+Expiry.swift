import KubernetesModel
import Linux

/// The end of a cluster that was started for a time (`start --ttl`).
extension Supervisor {
    func expire(at moment: Timestamp) throws {
        var changed = configuration
        changed.expires = moment
        try changed.save(paths.configuration)
        configuration = changed
        deleteOnceExpired()
    }

    /// Has the cluster deleted when its time is over, by the command that does that: it outlives this process.
    func deleteOnceExpired() {
        expiry?.cancel()
        guard let moment = configuration.expires else { return }
        expiry = Task {
            while !Task.isCancelled {
                let left = moment.since(.now)
                if left <= 0 { await deleteExpired() }
                // The wall clock may be set, and the command may fail.
                try? await Task.sleep(for: .seconds(left <= 0 ? 60 : min(left, 60)))
            }
        }
    }

    private func deleteExpired() async {
        logger.info("the cluster's time is over")
        do {
            let log = try Files.openLog(paths.log("supervisor"))
            let pid = try Spawn(
                [programs.martlet, "delete", "--profile", paths.profile, "--expired"],
                environment: Component.ownEnvironment, descriptors: [(log, 1), (log, 2)], newSession: true
            ).start()
            await ProcessIdentity(pid: pid)?.waitForEnd()
            _ = ExitStatus.reap(pid)
        } catch {
            logger.error("the cluster cannot be deleted: \(error)")
        }
    }
}
