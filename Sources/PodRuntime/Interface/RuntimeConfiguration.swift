import Addresses
import ClusterLayout
import Linux

/// The node that a runtime serves.
package struct RuntimeConfiguration: Sendable {
    /// Sockets of inits go to `<runtime>/p/<16 hex>/s`.
    package var paths: NodePaths
    /// The executable `martlet-init`.
    package var initPath: String
    /// The node's bridge, and its address, which is the pods' gateway.
    package var bridge: String
    package var gateway: IPv4Address
    /// The addresses of LoadBalancer Services, which pods are led to; nil where they are not.
    package var loadBalancers: IPv4Network?
    /// What containers on the host's own root must not see.
    package var hidden: HiddenPaths

    package init(
        paths: NodePaths, initPath: String, bridge: String = AddressPlan.podBridge, gateway: IPv4Address,
        loadBalancers: IPv4Network? = nil, hidden: HiddenPaths
    ) {
        self.paths = paths
        self.initPath = initPath
        self.bridge = bridge
        self.gateway = gateway
        self.loadBalancers = loadBalancers
        self.hidden = hidden
    }
}
