/// A Service, by name of its fields.
public struct Service: Sendable, Hashable {
    public var object: Object

    public init(_ object: Object) { self.object = object }

    public struct Port: Sendable, Hashable {
        public let name: String
        public let transport: String
        public let port: Int
        public let targetPort: IntOrString
        public let nodePort: Int?
        public let appProtocol: String?

        public init(_ json: JSON) {
            name = json["name"].string ?? ""
            transport = json["protocol"].string ?? "TCP"
            port = json["port"].int ?? 0
            targetPort = IntOrString(json["targetPort"]) ?? .int(port)
            nodePort = json["nodePort"].int.flatMap { $0 == 0 ? nil : $0 }
            appProtocol = json["appProtocol"].string
        }
    }

    public var spec: JSON { object.spec }
    /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
    public var type: String { spec["type"].string ?? "ClusterIP" }
    /// The address of the Service; nil for none yet and for a headless one.
    public var clusterIP: String? { spec["clusterIP"].string.flatMap { $0.isEmpty || $0 == "None" ? nil : $0 } }
    public var isHeadless: Bool { spec["clusterIP"].string == "None" }
    public var ports: [Port] { spec["ports"].items.map(Port.init) }
    /// Nil for a Service whose endpoints someone else writes.
    public var selector: LabelSelector? {
        let labels = spec["selector"].stringMap
        return labels.isEmpty ? nil : LabelSelector(labels: labels)
    }
    public var publishesNotReadyAddresses: Bool { spec["publishNotReadyAddresses"].bool ?? false }
    public var hasClientIPAffinity: Bool { spec["sessionAffinity"].string == "ClientIP" }
    public var affinityTimeout: Int { spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"].int ?? 10800 }
    public var isInternalTrafficLocal: Bool { spec["internalTrafficPolicy"].string == "Local" }
    public var isExternalTrafficLocal: Bool { spec["externalTrafficPolicy"].string == "Local" }
    public var externalIPs: [String] { spec["externalIPs"].strings }
    public var externalName: String? { spec["externalName"].string }
    public var ingressAddresses: [String] {
        object.status["loadBalancer"]["ingress"].items.compactMap { $0["ip"].string }
    }
}

/// An EndpointSlice, by name of its fields.
public struct EndpointSlice: Sendable, Hashable {
    public var object: Object

    public init(_ object: Object) { self.object = object }

    public static let serviceNameLabel = "kubernetes.io/service-name"

    public struct Endpoint: Sendable, Hashable {
        public var json: JSON

        public init(_ json: JSON) { self.json = json }

        public var addresses: [String] { json["addresses"].strings }
        /// An absent `ready` means ready.
        public var isReady: Bool { json["conditions"]["ready"].bool ?? true }
        public var isServing: Bool { json["conditions"]["serving"].bool ?? isReady }
        public var isTerminating: Bool { json["conditions"]["terminating"].bool ?? false }
        public var nodeName: String? { json["nodeName"].string }
        public var hostname: String? { json["hostname"].string }
        public var targetName: String? { json["targetRef"]["name"].string }
    }

    public struct Port: Sendable, Hashable {
        public let name: String
        public let transport: String
        public let port: Int?

        public init(_ json: JSON) {
            name = json["name"].string ?? ""
            transport = json["protocol"].string ?? "TCP"
            port = json["port"].int
        }
    }

    public var serviceName: String? { object.labels[Self.serviceNameLabel] }
    public var addressType: String { object["addressType"].string ?? "IPv4" }
    public var endpoints: [Endpoint] { object["endpoints"].items.map(Endpoint.init) }
    public var ports: [Port] { object["ports"].items.map(Port.init) }
}
