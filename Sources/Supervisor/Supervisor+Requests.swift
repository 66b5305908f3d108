import Addresses
import Glibc
import KubernetesModel
import Linux

/// What the command line and the service proxy ask for.
extension Supervisor {
    func answer(_ request: JSON) async -> ControlServer.Answer {
        let name = request["name"].string ?? ""
        do {
            switch request["op"].string {
            case "status": return ControlServer.Answer(await status())
            case "wait": return ControlServer.Answer(try await waitUntilReady(request))
            case "stop":
                endsGracefully = request["gracefully"].bool ?? true
                requestStop()
                return ControlServer.Answer([:])
            case "bind": return try await bind(request)
            case "release":
                let address = address(request)
                if isForServices(address) { ports.release(address) }
                return ControlServer.Answer([:])
            case "retain": retain(Set(request["addresses"].items.map(address)))
            case "node-add":
                let added = try await inTurn { try await self.addNode(request) }
                try await waitUntilReady(added)
                return ControlServer.Answer(["name": .string(added)])
            case "node-remove": try await inTurn { try await self.removeNode(name) }
            case "node-stop": try await inTurn { try await self.setNode(name, stopped: true) }
            case "node-start":
                try await inTurn { try await self.setNode(name, stopped: false) }
                try await waitUntilReady(name)
            default: throw SupervisorError.usage("unknown request \(request["op"])")
            }
            return ControlServer.Answer([:])
        } catch {
            return ControlServer.Answer(["error": .string(String(describing: error))])
        }
    }

    /// How long a cluster that is up may take until all its components work, as after one of them was killed.
    private static let patience = Duration.seconds(60)

    /// Answers once the cluster is Ready, or is about to end.
    private func waitUntilReady(_ request: JSON) async throws -> JSON {
        let end = ContinuousClock.now + Self.patience
        while !stopRequested {
            let status = await status()
            if status["ready"].bool == true {
                if let moment = request["expires"].string.flatMap({ Timestamp($0) }) { try expire(at: moment) }
                return ["stopping": false]
            }
            guard ContinuousClock.now < end else {
                let unready = status["components"].items.filter { $0["state"].string != "Ready" }
                let names = unready.compactMap { $0["name"].string }.joined(separator: ", ")
                throw SupervisorError.failed(
                    "the cluster is not Ready after \(Self.patience.components.seconds) seconds for want of \(names); "
                        + "see: martlet logs \(unready.first?["name"].string ?? "supervisor")")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        return ["stopping": true]
    }

    func status() async -> JSON {
        var reports: [JSON] = []
        for name in components.keys.sorted() {
            guard let report = await components[name]?.report() else { continue }
            var json: JSON = [
                "name": .string(report.name), "state": .string(report.state), "restarts": JSON(report.restarts),
                "status": .string(report.status),
            ]
            if let pid = report.pid { json["pid"] = JSON(Int(pid)) }
            reports.append(json)
        }
        // What is within works without the way out.
        let allReady = reports.allSatisfy { $0["state"].string == "Ready" || $0["name"].string == Self.egressName }
        var egress: JSON = ["mode": .string(configuration.egress.rawValue)]
        if let egressProblem { egress["problem"] = .string(egressProblem) }
        return [
            "ready": .bool(isReady && allReady), "components": .array(reports), "pid": JSON(Int(getpid())),
            "apiPort": JSON(configuration.apiPort), "egress": egress,
            "listenAddresses": .array(configuration.listenAddresses.map(JSON.string)),
            "nodes": .array(
                configuration.nodes.map { ["name": .string($0.name), "stopped": .bool($0.stopped)] }),
        ]
    }

    func address(_ request: JSON) -> HostPorts.Address {
        HostPorts.Address(
            address: request["address"].string ?? "", port: request["port"].int ?? -1,
            transport: request["transport"].string ?? "TCP")
    }

    /// Whether an address is one at which Services are reached: of this cluster's LoadBalancer Services, a node port, or
    /// one that is open to the network because its user has said so. All others are the host's, or belong to what the supervisor itself has bound.
    func isForServices(_ address: HostPorts.Address) -> Bool {
        guard let host = IPv4Address(address.address), ["TCP", "UDP"].contains(address.transport) else { return false }
        if host == AddressPlan.loopback { return AddressPlan.nodePorts.contains(address.port) }
        let isOne =
            AddressPlan.loadBalancers(octet: configuration.loadBalancerOctet).contains(host)
            || configuration.listenAddresses.contains(address.address)
        return isOne && (1...65_535).contains(address.port)
    }

    /// Closes the sockets of Services that are not at these addresses.
    func retain(_ addresses: Set<HostPorts.Address>) {
        for address in ports.addresses where isForServices(address) && !addresses.contains(address) {
            ports.release(address)
        }
    }

    func bind(_ request: JSON) async throws -> ControlServer.Answer {
        let address = address(request)
        let isAddress = IPv4Address(address.address) != nil && (0...65_535).contains(address.port)
        guard !isAddress || isForServices(address) else {
            let range = AddressPlan.loadBalancers(octet: configuration.loadBalancerOctet)
            let ports = AddressPlan.nodePorts
            return ControlServer.Answer([
                "error": .string(
                    "it is not for Services of this cluster: LoadBalancer addresses are in \(range), node ports of "
                        + "\(AddressPlan.loopback) from \(ports.lowerBound) to \(ports.upperBound); others are opened by: "
                        + "martlet start --listen-address ADDRESS"),
                "errno": JSON(Int(EACCES)),
            ])
        }
        do {
            return ControlServer.Answer([:], descriptor: try ports.bind(address))
        } catch {
            let holder = error.errno == EADDRINUSE ? await PortHolder.find(address) : nil
            let problem = String(cString: strerror(error.errno)) + (holder.map { ", by \($0)" } ?? "")
            return ControlServer.Answer(["error": .string(problem), "errno": JSON(Int(error.errno))])
        }
    }
}
