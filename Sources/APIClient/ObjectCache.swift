import KubernetesModel

/// The objects of an informer by key, with its indexes.
struct ObjectCache: Sendable {
    private var objects: [ObjectKey: Object] = [:]
    private let functions: [String: Informer.IndexFunction]
    private var indexes: [String: [String: Set<ObjectKey>]] = [:]

    /// The built-in index behind `list(namespace:)`. The space keeps it apart from any name a caller would choose.
    private static let byNamespace = "by namespace"

    init(indexes: [String: Informer.IndexFunction]) {
        functions = indexes.merging([Self.byNamespace: { [$0.namespace] }]) { $1 }
    }

    var count: Int { objects.count }
    subscript(key: ObjectKey) -> Object? { objects[key] }

    func list(namespace: String?) -> [Object] {
        guard let namespace else { return Array(objects.values) }
        return list(index: Self.byNamespace, namespace)
    }

    func list(index: String, _ value: String) -> [Object] {
        precondition(functions[index] != nil, "the informer has no index \(index)")
        return indexes[index]?[value]?.compactMap { objects[$0] } ?? []
    }

    /// The change that this made; nil where the object is in the cache at this revision already.
    mutating func put(_ object: Object) -> Change? {
        let old = objects.updateValue(object, forKey: object.key)
        if let old {
            if old.resourceVersion == object.resourceVersion, !object.resourceVersion.isEmpty { return nil }
            unfile(old)
        }
        file(object)
        return if let old { .updated(old: old, new: object) } else { .added(object) }
    }

    mutating func remove(_ object: Object) -> Change? {
        guard let old = objects.removeValue(forKey: object.key) else { return nil }
        unfile(old)
        return .deleted(object)
    }

    /// Makes the cache hold just `items`; returns how that differs from what it held.
    mutating func replace(with items: [Object]) -> [Change] {
        var gone = Set(objects.keys)
        var changes: [Change] = []
        for item in items {
            gone.remove(item.key)
            // An object deleted and made anew under its name while nobody watched is two changes, not an update.
            if let old = objects[item.key], old.uid != item.uid, let change = remove(old) { changes.append(change) }
            if let change = put(item) { changes.append(change) }
        }
        for key in gone {
            if let old = objects[key], let change = remove(old) { changes.append(change) }
        }
        return changes
    }

    private mutating func file(_ object: Object) {
        let key = object.key
        for (name, function) in functions {
            for value in function(object) { indexes[name, default: [:]][value, default: []].insert(key) }
        }
    }

    private mutating func unfile(_ object: Object) {
        let key = object.key
        for (name, function) in functions {
            for value in function(object) {
                indexes[name]?[value]?.remove(key)
                if indexes[name]?[value]?.isEmpty == true { indexes[name]?[value] = nil }
            }
        }
    }
}
