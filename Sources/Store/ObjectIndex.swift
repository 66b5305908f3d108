/// The latest version of every key: by key, and in the order of keys within a resource.
struct ObjectIndex: Sendable {
    private var objects: [String: StoredObject] = [:]
    /// Per resource (the key up to the first `/`), its objects sorted by key.
    private var resources: [Substring: [StoredObject]] = [:]

    var count: Int { objects.count }
    subscript(key: String) -> StoredObject? { objects[key] }

    static func resource(of key: String) -> Substring { key.prefix { $0 != "/" } }

    mutating func put(_ object: StoredObject) {
        let isNew = objects.updateValue(object, forKey: object.key) == nil
        let resource = Self.resource(of: object.key)
        let position = Self.position(of: object.key, in: resources[resource] ?? [])
        if isNew {
            resources[resource, default: []].insert(object, at: position)
        } else {
            resources[resource]?[position] = object
        }
    }

    mutating func remove(_ key: String) {
        guard objects.removeValue(forKey: key) != nil else { return }
        let resource = Self.resource(of: key)
        let position = Self.position(of: key, in: resources[resource] ?? [])
        resources[resource]?.remove(at: position)
        if resources[resource]?.isEmpty == true { resources[resource] = nil }
    }

    /// The objects with `prefix` after `key`, sorted. A prefix that spans resources is slower.
    func list(prefix: String, after key: String?) -> ArraySlice<StoredObject> {
        guard prefix.contains("/") else {
            let all = objects.values.filter { $0.key.hasPrefix(prefix) && $0.key > key ?? "" }
            return all.sorted { $0.key < $1.key }[...]
        }
        let objects = resources[Self.resource(of: prefix)] ?? []
        var start = Self.position(of: prefix, in: objects)
        if let key, key >= prefix {
            start = Self.position(of: key, in: objects)
            if start < objects.count, objects[start].key == key { start += 1 }
        }
        // `0` follows `/`, and `prefix` ends with `/` unless it is cut within a name.
        let end =
            prefix.hasSuffix("/")
            ? Self.position(of: prefix.dropLast() + "0", in: objects)
            : objects[start...].firstIndex { !$0.key.hasPrefix(prefix) } ?? objects.count
        return objects[start..<max(start, end)]
    }

    /// Where `key` is among `objects`, or would be.
    private static func position(of key: some StringProtocol, in objects: [StoredObject]) -> Int {
        var low = 0
        var high = objects.count
        while low < high {
            let middle = (low + high) / 2
            if objects[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
