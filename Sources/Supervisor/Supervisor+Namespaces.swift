import Glibc
import Linux
import Networking

/// The namespaces that the cluster and its nodes are in.
extension Supervisor {
    static let clusterHolderName = "cluster"
    /// The components within the cluster's own namespaces.
    static let members = ["control-plane", "service-proxy"]

    /// The holder of namespaces in which `members` run; should it be killed, another one takes its place.
    func hold(
        _ name: String, within outer: NamespaceHolder?, members: [String]
    ) async throws -> NamespaceHolder {
        let holder = try await NamespaceHolder.ensure(
            name, within: outer, members: members, programs: programs, paths: paths)
        watch(holder, name, members: members)
        return holder
    }

    func watch(_ holder: NamespaceHolder, _ name: String, members: [String]) {
        holderWatchers[name] = Task { [weak self] in
            await holder.process.waitForEnd()
            guard !Task.isCancelled else { return }
            await self?.replace(holder, name, members: members)
        }
    }

    func replace(_ dead: NamespaceHolder, _ name: String, members: [String]) async {
        _ = ExitStatus.reap(dead.process.pid)
        do {
            guard
                let holder = try await NamespaceHolder.succeed(
                    name, members: members, programs: programs, paths: paths)
            else {
                logger.error("\(name) was killed with all that ran in its namespaces; stop and start the cluster")
                return
            }
            // The cluster or the node was ended meanwhile, by someone who did not know of this holder.
            guard !Task.isCancelled else {
                holder.process.signal(SIGKILL)
                unlink(paths.pidFile(name))
                return
            }
            logger.warning("\(name), pid \(dead.process.pid), was killed; pid \(holder.process.pid) takes its place")
            if name == Self.clusterHolderName {
                clusterHolder = holder
                keepSockets(holder)
            }
            for member in members { await components[member]?.moveInside(holder.process.pid) }
            watch(holder, name, members: members)
        } catch {
            logger.error("no process takes the place of \(name): \(error)")
        }
    }

    /// From now on the holder has all sockets of the host's side too.
    func keepSockets(_ holder: NamespaceHolder) {
        do throws(SystemError) {
            try ports.keep(by: holder.process.pid)
        } catch {
            logger.warning("connections from the host are refused while this supervisor is dead: \(error)")
        }
    }

    static func onNetwork(
        of cluster: NamespaceHolder, _ body: @escaping @Sendable (ClusterNetwork) throws -> Void
    ) async throws {
        let result: Result<Void, any Error> = await Blocking.run {
            Result {
                let namespace = try openNamespace(.net, of: cluster.process.pid)
                try body(ClusterNetwork(namespace: namespace))
            }
        }
        try result.get()
    }
}
