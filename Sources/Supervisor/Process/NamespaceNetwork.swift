import Linux
import Networking
import SystemPackage

/// The network between the namespaces that holders keep open. All of it may be asked for again.
extension NamespaceHolder {
    /// Gives the cluster's namespace, which this holder keeps, its bridge and addresses.
    func setUpClusterNetwork() async throws(SystemError) {
        try await withNetwork { (cluster) throws(SystemError) in try ClusterNetwork(namespace: cluster).setUp() }
    }

    /// Joins a node's namespace to the cluster's, which this holder keeps.
    func join(node holder: NamespaceHolder, index: Int) async throws(SystemError) {
        try await withNetwork { (cluster) throws(SystemError) in
            let node = try openNamespace(.net, of: holder.process.pid)
            defer { try? node.close() }
            try ClusterNetwork(namespace: cluster).addNode(index, namespace: node)
        }
    }

    /// Forgets a node's link and route.
    func leave(nodeIndex index: Int) async throws(SystemError) {
        try await withNetwork { (cluster) throws(SystemError) in
            try ClusterNetwork(namespace: cluster).removeNode(index)
        }
    }

    private func withNetwork(_ body: @escaping @Sendable (FileDescriptor) throws(SystemError) -> Void)
        async throws(SystemError)
    {
        let pid = process.pid
        try await Blocking.run { () throws(SystemError) in
            let namespace = try openNamespace(.net, of: pid)
            defer { try? namespace.close() }
            try body(namespace)
        }
    }
}
