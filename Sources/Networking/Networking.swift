/// Networking: a cluster's links and addresses, its Services' rules, its DNS, and the way in from the host.
///
/// `ClusterNetwork` makes the bridge and the nodes' links; `ServiceRules` translates Service addresses on one node;
/// `DNSServer` answers names; `ServiceProxy` carries the host's connections to endpoints. Nothing here changes the
/// network namespace of the host.
