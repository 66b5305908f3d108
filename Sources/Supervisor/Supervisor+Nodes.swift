import ClusterLayout
import KubernetesModel
import Linux
import Networking

/// Nodes that come and go while the cluster runs.
extension Supervisor {
    /// Makes a change once those asked for before it are done: each looks at the nodes first, and takes its time then.
    /// No change waits for what may never come, so that none holds up those behind it, nor the cluster's end.
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
        try Files.makePrivateDirectory(paths.node(node.name).directory)
        let holder = try await hold(node.holderName, within: cluster, members: [node.componentName])
        try await Self.onNetwork(of: cluster) { network in
            let namespace = try openNamespace(.net, of: holder.process.pid)
            try network.addNode(node.index, namespace: namespace)
        }
        try await start(component(node.componentName, ["node-agent", "--node", node.name], in: holder))
    }

    /// Adds a node; it is not Ready yet then.
    ///
    /// - Returns: its name.
    func addNode(_ request: JSON) async throws -> String {
        let shape = try NodeShape(request["shape"].isNull ? [:] : request["shape"], file: "shape")
        var changed = configuration
        let node = try changed.addNode(name: request["name"].string, shape: shape)
        try ClusterCertificates(paths: paths).ensure(apiPort: changed.apiPort, nodes: [node.name])
        try changed.save(paths.configuration)
        configuration = changed
        guard let holder = clusterHolder else { throw SupervisorError.failed("the cluster is not up yet") }
        try await startNode(node, within: holder)
        return node.name
    }

    /// Returns when a node's agent has been ready once. Not to be waited for within a turn, which would last as long.
    func waitUntilReady(_ node: String) async throws {
        guard let component = components[ClusterConfiguration.NodeEntry.componentName(of: node)] else {
            throw SupervisorError.failed("node \"\(node)\" was ended before it was Ready")
        }
        try await component.waitUntilReady()
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
        await end(node)
        try Files.removeTree(paths.node(name).directory)
        try Files.removeTree(paths.pki.kubeconfig("node-\(name)"))
        // Last: a node that is half removed when this process dies comes back, and can be removed again.
        var changed = configuration
        changed.nodes.removeAll { $0.name == name }
        try changed.save(paths.configuration)
        configuration = changed
    }

    func setNode(_ name: String, stopped: Bool) async throws {
        let node = try existing(name)
        guard node.stopped != stopped else { return }
        if stopped {
            await end(node)
        } else {
            guard let holder = clusterHolder else { throw SupervisorError.failed("the cluster is not up yet") }
            try await startNode(node, within: holder)
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
    static func componentName(of name: String) -> String { "node-agent-\(name)" }

    var componentName: String { Self.componentName(of: name) }
    var holderName: String { "node-holder-\(name)" }
}
