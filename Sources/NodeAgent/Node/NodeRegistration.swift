import APIClient
import Glibc
import KubernetesModel
import Linux
import Logging

/// Keeps the node's own objects: the Node and its Lease.
struct NodeRegistration: Sendable {
    let configuration: NodeAgentConfiguration
    let client: any Client
    let logger: Logger

    static let leaseSeconds = 40
    static let renewSeconds = 10
    /// The kubelet's `nodeStatusReportFrequency`: the Lease is the heartbeat, so the status may be rare.
    static let reportSeconds = 300

    private var name: String { configuration.nodeName }

    /// The labels that the node has from its shape and its machine.
    var labels: [String: String] {
        var labels = [
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": machineArchitecture,
            "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": machineArchitecture,
        ]
        if let zone = configuration.shape.zone { labels["topology.kubernetes.io/zone"] = zone }
        return labels.merging(configuration.shape.labels) { $1 }
    }

    /// Creates the Node, or updates an earlier agent's, and reports it Ready.
    func register() async throws {
        var node = Object(.nodes, name: name)
        node.metadata["labels"] = JSON(labels)
        node.metadata["annotations"] = ["volumes.kubernetes.io/controller-managed-attach-detach": "true"]
        node.spec["podCIDR"] = .string(configuration.podNetwork.description)
        node.spec["podCIDRs"] = [.string(configuration.podNetwork.description)]
        if !configuration.shape.taints.isEmpty { node.spec["taints"] = .array(configuration.shape.taints) }
        node.status = status(previous: .null)
        do {
            let created = try await client.create(.nodes, node)
            // A server drops the status of what is created.
            if created.status["conditions"].isNull { try await report(previous: created.status) }
        } catch let status as Status where status.isAlreadyExists {
            let patch: JSON = [
                "metadata": ["labels": JSON(labels)],
                "spec": ["podCIDR": node.spec["podCIDR"], "podCIDRs": node.spec["podCIDRs"]],
            ]
            let existing = try await client.patch(
                .nodes, namespace: nil, name: name, subresource: nil, .strategicMerge(patch))
            try await report(previous: existing.status)
        }
    }

    /// Renews the Lease every ten seconds and the status every five minutes, until cancelled.
    func keepAlive() async throws {
        var elapsed = 0
        while true {
            try await renewLease()
            try await Task.sleep(for: .seconds(Self.renewSeconds))
            elapsed += Self.renewSeconds
            if elapsed >= Self.reportSeconds {
                elapsed = 0
                do {
                    if let node = try await client.getIfPresent(.nodes, ObjectKey(name: name)) {
                        try await report(previous: node.status)
                    } else {
                        // Someone deleted the Node while its agent lives: it registers again, as a kubelet at its start.
                        try await register()
                    }
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    logger.warning("the node's status was not written: \(error)")
                }
            }
        }
    }

    private func report(previous: JSON) async throws {
        try await client.patch(
            .nodes, namespace: nil, name: name, subresource: "status",
            .strategicMerge(["status": status(previous: previous)]))
    }

    func renewLease() async throws {
        let spec: JSON = [
            "holderIdentity": .string(name), "leaseDurationSeconds": JSON(Self.leaseSeconds),
            "renewTime": .string(Timestamp.now.micro),
        ]
        let namespace = "kube-node-lease"
        do {
            let renewed = try await ignoringNotFound {
                try await client.patch(
                    .leases, namespace: namespace, name: name, subresource: nil, .merge(["spec": spec]))
            }
            if renewed == nil {
                var lease = Object(.leases, namespace: namespace, name: name)
                lease["spec"] = spec
                if let node = try? await client.get(.nodes, namespace: nil, name: name) {
                    lease.metadata["ownerReferences"] = [
                        ["apiVersion": "v1", "kind": "Node", "name": .string(name), "uid": .string(node.uid)]
                    ]
                }
                try await client.create(.leases, lease)
            }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            logger.warning("the node's lease was not renewed: \(error)")
        }
    }

    /// - Parameter previous: the status in the API, whose transition times stay where nothing changed.
    func status(previous: JSON) -> JSON {
        let amounts = JSON(configuration.shape.capacity)
        return [
            "capacity": amounts, "allocatable": amounts,
            "addresses": [
                ["type": "InternalIP", "address": .string(configuration.address)],
                ["type": "Hostname", "address": .string(name)],
            ],
            "conditions": .array(conditions(previous: previous)),
            "daemonEndpoints": ["kubeletEndpoint": ["Port": 10250]],
            "nodeInfo": Self.nodeInfo(name: name),
        ]
    }

    private func conditions(previous: JSON) -> [JSON] {
        let now = Timestamp.now
        let before = Conditions(previous["conditions"])
        let all = [
            ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ]
        return all.map { type, status, reason, message in
            var condition = Condition(type, status: status, reason: reason, message: message)
            condition.lastHeartbeatTime = now
            condition.lastTransitionTime = now
            condition.keepTransitionTime(of: before[type])
            return condition.json
        }
    }

    static let kubeletVersion = "v1.33.0+martlet"

    private static func nodeInfo(name: String) -> JSON {
        func line(_ path: String) -> String {
            ((try? readFile(path)) ?? "").split(separator: "\n").first.map(String.init) ?? ""
        }
        let release = ((try? readFile("/etc/os-release")) ?? "").split(separator: "\n")
            .first { $0.hasPrefix("PRETTY_NAME=") }
            .map { $0.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" } }
        return [
            "machineID": .string(line("/etc/machine-id")), "systemUUID": .string(name),
            "bootID": .string(line("/proc/sys/kernel/random/boot_id")),
            "kernelVersion": .string(line("/proc/sys/kernel/osrelease")), "osImage": .string(release ?? "Linux"),
            "containerRuntimeVersion": .string("martlet://1.33.0"), "kubeletVersion": .string(kubeletVersion),
            "kubeProxyVersion": .string(""), "operatingSystem": "linux", "architecture": .string(machineArchitecture),
        ]
    }
}
