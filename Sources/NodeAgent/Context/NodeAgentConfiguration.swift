import Addresses
import ClusterLayout
import KubernetesModel

/// Which node an agent serves, and where its things are.
public struct NodeAgentConfiguration: Sendable {
    public var nodeName: String
    /// From 1; gives the node its addresses (docs/architecture.md).
    public var index: Int
    public var shape: NodeShape
    public var clusterName: String
    /// The cluster's state directory; the node's own is `nodes/<node>` in it.
    public var stateDirectory: String
    public var runDirectory: String
    /// The kubeconfig of `system:node:<name>`.
    public var kubeconfig: String
    public var imageDirectory: String
    /// The executable `martlet-init`.
    public var initPath: String
    /// Directories hidden from containers on the host's root: the state and sockets of all clusters.
    public var hiddenDirectories: [String] = []
    /// LoadBalancer addresses are 127.<this>.0.0/16; nil where pods do not reach them.
    public var loadBalancerOctet: Int?
    public var dnsAddress = AddressPlan.dns.description
    public var clusterDomain = "cluster.local"

    public init(
        nodeName: String, index: Int, shape: NodeShape, clusterName: String, stateDirectory: String,
        runDirectory: String,
        kubeconfig: String, imageDirectory: String, initPath: String
    ) {
        self.nodeName = nodeName
        self.index = index
        self.shape = shape
        self.clusterName = clusterName
        self.stateDirectory = stateDirectory
        self.runDirectory = runDirectory
        self.kubeconfig = kubeconfig
        self.imageDirectory = imageDirectory
        self.initPath = initPath
    }

    public var paths: NodePaths { NodePaths(name: nodeName, state: stateDirectory, runtime: runDirectory) }
    package var podNetwork: IPv4Network { AddressPlan.pods(ofNode: index) }
    /// The node's own address on its bridge, through which its pods reach everything else.
    package var gateway: IPv4Address { AddressPlan.podGateway(ofNode: index) }
    package var loadBalancers: IPv4Network? { loadBalancerOctet.map { AddressPlan.loadBalancers(octet: $0) } }
    public var address: String { AddressPlan.node(index).description }
}
