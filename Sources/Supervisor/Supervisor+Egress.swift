import Addresses
import Glibc
import Linux
import Networking

/// The cluster's way out.
extension Supervisor {
    static let egressName = "egress"

    /// Opens the way out that the cluster is to have. Where the machine does not offer one that is no reason not to
    /// start: what is within works without it, and `status` says what is missing.
    func openEgress(_ holder: NamespaceHolder) async {
        guard configuration.egress != .none else { return }
        guard let program = EgressProgram.find() else {
            egressProblem =
                "neither \(EgressProgram.known.joined(separator: " nor ")) is installed; "
                + EgressProgram.remedy
            logger.warning("pods have no way out: \(egressProblem ?? "")")
            return
        }
        do {
            let namespace = try openNamespace(.net, of: holder.process.pid)
            try await endStrayEgress(from: namespaceIdentity(.net, of: holder.process.pid))
            // The rules first: nothing may leave by a link that has none.
            let nftables = try await Blocking.run { () throws(Nftables.Failure) in
                try Nftables(namespace: namespace)
            }
            try await EgressRules(reachesHost: configuration.egress == .host).apply(nftables)
            try await Self.onNetwork(of: holder) { try $0.setUpEgress() }
            try await start(
                ComponentSpecification(
                    name: Self.egressName, arguments: program.arguments(configuration.egress),
                    standardInput: namespace, notifies: false, watchdog: nil,
                    status: "\(configuration.egress.rawValue), by \(program.name)"))
        } catch let error as SystemError where error.errno == ENOENT || error.errno == ENODEV {
            egressProblem = "\(error) (\(TapDevice.device)); modprobe tun"
        } catch {
            egressProblem = "\(error)"
        }
        if let egressProblem { logger.warning("pods have no way out: \(egressProblem)") }
    }

    /// Ends a program that serves the link of namespaces which are gone, as it is after all but that was killed.
    private func endStrayEgress(from namespace: UInt64) async throws {
        guard let known = try Files.text(paths.pidFile(Self.egressName)).flatMap(ProcessIdentity.init(_:)),
            known.isRunning
        else { return }
        var served = stat()
        if stat("/proc/\(known.pid)/fd/0", &served) == 0, UInt64(served.st_ino) == namespace { return }
        logger.info("ended \(Self.egressName), pid \(known.pid), of an earlier cluster")
        known.signal(SIGKILL)
        await known.waitForEnd()
        _ = ExitStatus.reap(known.pid)
        unlink(paths.pidFile(Self.egressName))
    }
}
