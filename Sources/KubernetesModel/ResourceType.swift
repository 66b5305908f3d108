/// A kind of object as the API serves it: its group, version, plural and kind.
public struct ResourceType: Sendable, Hashable, CustomStringConvertible {
    /// The API group, empty for the core group.
    public let group: String
    public let version: String
    /// The plural in lower case, as in paths: `deployments`.
    public let plural: String
    public let kind: String
    public let namespaced: Bool

    public init(group: String, version: String, plural: String, kind: String, namespaced: Bool) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.namespaced = namespaced
    }

    /// `v1`, or `apps/v1`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    /// `pods`, or `deployments.apps`: the name that error messages use.
    public var groupResource: String { group.isEmpty ? plural : "\(plural).\(group)" }
    public var description: String { groupResource }

    /// The request path of the collection, or of one object: `/apis/apps/v1/namespaces/default/deployments/web`.
    public func path(namespace: String? = nil, name: String? = nil, subresource: String? = nil) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if namespaced, let namespace, !namespace.isEmpty { path += "/namespaces/\(namespace)" }
        path += "/\(plural)"
        if let name { path += "/\(name)" }
        if let subresource { path += "/\(subresource)" }
        return path
    }
}

/// The kinds that Martlet's own components work on. The catalogue has them all.
extension ResourceType {
    private static func core(_ plural: String, _ kind: String, namespaced: Bool = true) -> ResourceType {
        ResourceType(group: "", version: "v1", plural: plural, kind: kind, namespaced: namespaced)
    }
    private static func named(
        _ group: String, _ version: String, _ plural: String, _ kind: String, namespaced: Bool = true
    ) -> ResourceType {
        ResourceType(group: group, version: version, plural: plural, kind: kind, namespaced: namespaced)
    }

    public static let pods = core("pods", "Pod")
    public static let services = core("services", "Service")
    public static let endpoints = core("endpoints", "Endpoints")
    public static let configMaps = core("configmaps", "ConfigMap")
    public static let secrets = core("secrets", "Secret")
    public static let events = core("events", "Event")
    public static let serviceAccounts = core("serviceaccounts", "ServiceAccount")
    public static let replicationControllers = core("replicationcontrollers", "ReplicationController")
    public static let persistentVolumeClaims = core("persistentvolumeclaims", "PersistentVolumeClaim")
    public static let persistentVolumes = core("persistentvolumes", "PersistentVolume", namespaced: false)
    public static let namespaces = core("namespaces", "Namespace", namespaced: false)
    public static let nodes = core("nodes", "Node", namespaced: false)
    public static let deployments = named("apps", "v1", "deployments", "Deployment")
    public static let replicaSets = named("apps", "v1", "replicasets", "ReplicaSet")
    public static let statefulSets = named("apps", "v1", "statefulsets", "StatefulSet")
    public static let daemonSets = named("apps", "v1", "daemonsets", "DaemonSet")
    public static let jobs = named("batch", "v1", "jobs", "Job")
    public static let leases = named("coordination.k8s.io", "v1", "leases", "Lease")
    public static let endpointSlices = named("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
    public static let podDisruptionBudgets = named("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
    public static let storageClasses = named(
        "storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced: false)
    public static let priorityClasses = named(
        "scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced: false)
}
