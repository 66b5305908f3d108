import Addresses

extension APIServer {
    /// An API server's cluster. Paths are of PEM files, which are read at the start.
    public struct Configuration: Sendable {
        public var listeners: [Listener]
        public var certificate: String
        public var key: String
        /// The subject of a client certificate of this authority is the user.
        public var clientCA: String
        /// The P-256 key pair of service-account tokens. Only the public half is needed to accept them.
        public var serviceAccountKey: String
        public var serviceAccountPublicKey: String
        /// The directory of the node agents' stream sockets, `node-<name>.sock`.
        public var runDirectory: String
        /// The interval at which the objects of every cluster are repaired.
        public var repairInterval: Duration = .seconds(10)
        /// As `/version` reports it: `v1.33.4+martlet`.
        public var version: String
        /// The address at which pods and nodes reach the server, which is the endpoint of Service `kubernetes`.
        public var advertiseAddress: String
        public var advertisePort: Int
        var limits = ConnectionLimits()
        /// The most connections that there may be.
        public var maxConnections: Int {
            get { limits.count }
            set { limits.count = newValue }
        }
        /// Where the addresses of LoadBalancer Services are.
        package var loadBalancers = AddressPlan.loadBalancers(octet: AddressPlan.loadBalancerOctets.lowerBound)
        /// Whether a node's certificate is the one that the node has now; nil: each one of the authority's is.
        package var isCurrentNodeCertificate: (@Sendable (_ node: String, _ der: [UInt8]) -> Bool)?

        package init(
            listeners: [Listener], certificate: String, key: String, clientCA: String, serviceAccountKey: String,
            serviceAccountPublicKey: String, runDirectory: String, version: String = "v1.33.4+martlet",
            advertiseAddress: String = AddressPlan.apiServer.description, advertisePort: Int = AddressPlan.apiServerPort
        ) {
            self.listeners = listeners
            self.certificate = certificate
            self.key = key
            self.clientCA = clientCA
            self.serviceAccountKey = serviceAccountKey
            self.serviceAccountPublicKey = serviceAccountPublicKey
            self.runDirectory = runDirectory
            self.version = version
            self.advertiseAddress = advertiseAddress
            self.advertisePort = advertisePort
        }
    }
}
