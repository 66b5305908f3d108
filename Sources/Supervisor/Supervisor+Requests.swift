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
            case "stop":
                endsGracefully = request["gracefully"].bool ?? true
                requestStop()
                return ControlServer.Answer([:])
            case "bind": return try bind(request)
            case "release":
                let address = address(request)
                if isForServices(address) { ports.release(address) }
                return ControlServer.Answer([:])
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
            "nodes": .array(
                configuration.nodes.map { ["name": .string($0.name), "stopped": .bool($0.stopped)] }),
        ]
    }

    func address(_ request: JSON) -> HostPorts.Address {
        HostPorts.Address(
            address: request["address"].string ?? "", port: request["port"].int ?? -1,
            transport: request["transport"].string ?? "TCP")
    }

    /// Whether an address is one at which the host reaches Services: of this cluster's LoadBalancer Services, or a node
    /// port. All others are the host's, or belong to what the supervisor itself has bound.
    func isForServices(_ address: HostPorts.Address) -> Bool {
        guard let host = IPv4Address(address.address), ["TCP", "UDP"].contains(address.transport) else { return false }
        if host == AddressPlan.loopback { return AddressPlan.nodePorts.contains(address.port) }
        return AddressPlan.loadBalancers(octet: configuration.loadBalancerOctet).contains(host)
            && (1...65_535).contains(address.port)
    }

    func bind(_ request: JSON) throws -> ControlServer.Answer {
        let address = address(request)
        let isAddress = IPv4Address(address.address) != nil && (0...65_535).contains(address.port)
        guard !isAddress || isForServices(address) else {
            let range = AddressPlan.loadBalancers(octet: configuration.loadBalancerOctet)
            let ports = AddressPlan.nodePorts
            return ControlServer.Answer([
                "error": .string(
                    "it is not for Services of this cluster: LoadBalancer addresses are in \(range), node ports of "
                        + "\(AddressPlan.loopback) from \(ports.lowerBound) to \(ports.upperBound)"),
                "errno": JSON(Int(EACCES)),
            ])
        }
        do {
            return ControlServer.Answer([:], descriptor: try ports.bind(address))
        } catch {
            return ControlServer.Answer([
                "error": .string(String(cString: strerror(error.errno))), "errno": JSON(Int(error.errno)),
            ])
        }
    }
}
