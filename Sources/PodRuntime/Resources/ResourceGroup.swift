import Linux

/// A place in the tree of resources of one node.
package struct ResourceGroup: Sendable, Hashable {
    /// `martlet/<cluster>/<node>` and what is below (`clusterGroup`).
    package let path: String

    /// - Parameter folder: the node's directory, `<state>/nodes/<node>`.
    package static func node(folder: String) -> ResourceGroup {
        let parts = folder.split(separator: "/")
        let state = "/" + parts.dropLast(2).joined(separator: "/")
        return ResourceGroup(path: "\(clusterGroup(stateFolder: state))/\(parts.last ?? "")")
    }

    package func pod(_ uid: String, qosClass: String) -> ResourceGroup {
        // The kubelet puts Guaranteed pods beside the other two classes.
        ResourceGroup(path: qosClass == "Guaranteed" ? "\(path)/pod\(uid)" : "\(path)/\(qosClass)/pod\(uid)")
    }
    package func container(_ id: ContainerID) -> ResourceGroup {
        ResourceGroup(path: "\(path)/\(id.name)-\(id.restart)")
    }
}
