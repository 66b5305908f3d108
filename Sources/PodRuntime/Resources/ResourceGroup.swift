import ClusterLayout
import Linux

/// A place in the tree of resources of one node.
package struct ResourceGroup: Sendable, Hashable {
    /// `martlet/<cluster>/<node>` and what is below (`clusterGroup`).
    package let path: String

    package static func node(_ node: NodePaths) -> ResourceGroup { ResourceGroup(path: node.controlGroup) }

    package func pod(_ uid: String, qosClass: String) -> ResourceGroup {
        // The kubelet puts Guaranteed pods beside the other two classes.
        ResourceGroup(path: qosClass == "Guaranteed" ? "\(path)/pod\(uid)" : "\(path)/\(qosClass)/pod\(uid)")
    }
    package func container(_ id: ContainerID) -> ResourceGroup {
        ResourceGroup(path: "\(path)/\(id.name)-\(id.restart)")
    }
}
