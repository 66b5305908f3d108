import KubernetesModel
import Store

extension ResourceType {
    /// Where the store keeps this type's objects. A resource that is served in two groups is kept in one of them.
    private var storageName: String { group == "events.k8s.io" ? plural : groupResource }

    func storePrefix(namespace: String?) -> String {
        guard namespaced, let namespace, !namespace.isEmpty else { return storageName + "/" }
        return "\(storageName)/\(namespace)/"
    }

    func storeKey(namespace: String?, name: String) -> String { storePrefix(namespace: namespace) + name }
}

extension Store {
    /// An object by its key, in the version in which it is stored; nil where there is none.
    func object(_ type: ResourceType, namespace: String? = nil, name: String) -> Object? {
        get(type.storeKey(namespace: namespace, name: name))?.object
    }

    /// The objects of a namespace, or of all where it is nil, in the version in which they are stored.
    func objects(_ type: ResourceType, namespace: String? = nil) -> [Object] {
        list(prefix: type.storePrefix(namespace: namespace)).map(\.object)
    }
}
