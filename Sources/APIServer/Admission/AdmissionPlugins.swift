import Addresses
import Store

/// The plug-ins of every cluster.
enum AdmissionPlugins {
    /// In upstream's default order: each sees what those before it have changed.
    ///
    /// - Parameter loadBalancers: the range of the addresses of LoadBalancer Services.
    static func all(_ store: any Store, loadBalancers: IPv4Network) -> [any AdmissionPlugin] {
        [
            NamespaceLifecycleAdmission(store: store),
            ServiceAccountAdmission(store: store),
            PriorityAdmission(store: store),
            DefaultTolerationSecondsAdmission(),
            DefaultStorageClassAdmission(store: store),
            // Without a counterpart upstream, where clouds give the addresses.
            LoadBalancerAddressAdmission(network: loadBalancers, store: store),
        ]
    }
}
