import KubernetesModel
import Linux
import Networking

/// Nodes that come and go while the cluster runs.
extension Supervisor {
    /// Makes a change once those asked for before it are done: each looks at the nodes first, and takes its time then.
    func inTurn<Result: Sendable>(_ change: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let earlier = nodeChanges
        let task = Task {
            await earlier?.value
            guard !stopRequested else { throw SupervisorError.failed("the cluster is stopping") }
            return try await change()
        }
        nodeChanges = Task { _ = await task.result }
        return try await task.value
    }

    func startNode(_ node: ClusterConfiguration.NodeEntry, within cluster: NamespaceHolder) async throws {
        try Files.makeFolder(paths.node(node.name))
        let holder = try await hold(node.holderName, within: cluster, members: [node.componentName])
        try await Self.onNetwork(of: cluster) { network in
            let namespace = try openNamespace(.net, of: holder.process.pid)
            defer { try? namespace.close() }
            try network.addNode(node.index, namespace: namespace)
        }
        try await start(component(node.componentName, ["node-agent", "--node", node.name], in: holder))
    }

    func addNode(_ request: JSON) async throws -> JSON {
        let shape = try NodeShape(request["shape"].isNull ? [:] : request["shape"], file: "shape")
        var changed = configuration
        let node = try changed.addNode(name: request["name"].string, shape: shape)
        try ClusterCertificates(paths: paths).ensure(apiPort: changed.apiPort, nodes: [node.name])
        try changed.save(paths.configuration)
        configuration = changed
        guard let holder = clusterHolder else { throw SupervisorError.failed("the cluster is not up yet") }
        try await startNode(node, within: holder)
        try await components[node.componentName]?.waitUntilReady()
        return ["name": .string(node.name)]
    }

    func existing(_ name: String) throws -> ClusterConfiguration.NodeEntry {
        guard let node = configuration.nodes.first(where: { $0.name == name }) else {
            throw SupervisorError.usage("node \"\(name)\" does not exist; see: martlet node list")
        }
        return node
    }

    func removeNode(_ name: String) async throws {
        let node = try existing(name)
        guard configuration.nodes.count > 1 else {
            throw SupervisorError.usage("\"\(name)\" is the cluster's only node; add another one first")
        }
        // First of all: a node that is half removed when this process dies does not come back.
        var changed = configuration
        changed.nodes.removeAll { $0.name == name }
        try changed.save(paths.configuration)
        configuration = changed
        await end(node)
        try Files.removeTree(paths.node(name))
        try Files.removeTree(paths.kubeconfig("node-\(name)"))
    }

    func setNode(_ name: String, stopped: Bool) async throws {
        let node = try existing(name)
        guard node.stopped != stopped else { return }
        if stopped {
            await end(node)
        } else {
            guard let holder = clusterHolder else { throw SupervisorError.failed("the cluster is not up yet") }
            try await startNode(node, within: holder)
            try await components[node.componentName]?.waitUntilReady()
        }
        for index in configuration.nodes.indices where configuration.nodes[index].name == name {
            configuration.nodes[index].stopped = stopped
        }
        try configuration.save(paths.configuration)
    }

    /// Ends a node as a machine that is switched off: its agent, its pods, its namespaces.
    func end(_ node: ClusterConfiguration.NodeEntry) async {
        holderWatchers.removeValue(forKey: node.holderName)?.cancel()
        await components.removeValue(forKey: node.componentName)?.stop()
        await Teardown(paths: paths, logger: logger).endNode(node.name, holder: node.holderName)
        guard let cluster = clusterHolder else { return }
        do {
            try await Self.onNetwork(of: cluster) { try $0.removeNode(node.index) }
        } catch {
            logger.warning("\(node.name): its link is left: \(error)")
        }
    }
}

extension ClusterConfiguration.NodeEntry {
    var componentName: String { "node-agent-\(name)" }
    var holderName: String { "node-holder-\(name)" }
}
