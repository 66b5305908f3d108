import Addresses
import KubernetesModel
import Logging

public struct ControllerOptions: Sendable {
    /// The cluster's CA certificate in PEM, which every namespace gets in the ConfigMap `kube-root-ca.crt`.
    public var rootCertificate: String
    /// Every type that the API serves and that can be listed and deleted: what a namespace's deletion empties, and
    /// where owners and what they own are looked for.
    public var types: [ResourceType]
    /// How long a node's lease may stay unrenewed before the node counts as unreachable.
    public var nodeMonitorGracePeriod: Duration = .seconds(40)
    /// How many ended pods may stay.
    public var terminatedPodLimit = 12500
    public var eventLifetime: Duration = .seconds(3600)
    /// Where LoadBalancer Services get their addresses from.
    package var loadBalancers = AddressPlan.loadBalancers(octet: 16)
    public var logger = Logger(label: "controllers")

    public init(rootCertificate: String, types: [ResourceType]) {
        self.rootCertificate = rootCertificate
        self.types = types
    }
}
