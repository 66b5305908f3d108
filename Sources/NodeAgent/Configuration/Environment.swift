import KubernetesModel

/// Finds the ConfigMaps and Secrets that a pod refers to.
typealias ReferenceLookup = @Sendable (ResourceType, _ name: String) async -> Object?

/// A container's environment from its specification; a later value of a name replaces an earlier one.
struct Environment: Sendable {
    private(set) var values: [String: String] = [:]
    private var order: [String] = []

    /// `NAME=value`, in the order in which the names first appeared.
    var assignments: [String] { order.map { "\($0)=\(values[$0] ?? "")" } }

    subscript(name: String) -> String? { values[name] }

    mutating func set(_ name: String, _ value: String) {
        if values.updateValue(value, forKey: name) == nil { order.append(name) }
    }

    /// - Throws: `StartFailure.configuration` where something that the container needs is missing.
    static func make(
        container: Container, image: [String], services: [(name: String, value: String)], downward: DownwardAPI,
        lookup: ReferenceLookup
    ) async throws -> (all: Environment, declared: Environment) {
        var declared = Environment()
        for (name, value) in services { declared.set(name, value) }
        for source in container.json["envFrom"].items {
            let prefix = source["prefix"].string ?? ""
            for (key, value) in try await map(source, lookup: lookup) { declared.set(prefix + key, value) }
        }
        for variable in container.env {
            guard let name = variable["name"].string else { continue }
            if variable["valueFrom"].isNull {
                declared.set(name, expand(variable["value"].string ?? "") { declared[$0] })
            } else if let value = try await value(
                variable["valueFrom"], container: container, downward: downward, lookup: lookup)
            {
                declared.set(name, value)
            }
        }
        var all = Environment()
        for assignment in image {
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { all.set(String(parts[0]), String(parts[1])) }
        }
        for name in declared.order { all.set(name, declared.values[name] ?? "") }
        return (all, declared)
    }

    private static func map(_ source: JSON, lookup: ReferenceLookup) async throws -> [(String, String)] {
        let isSecret = !source["secretRef"].isNull
        let reference = isSecret ? source["secretRef"] : source["configMapRef"]
        guard let name = reference["name"].string else { return [] }
        guard let object = await lookup(isSecret ? .secrets : .configMaps, name) else {
            if reference["optional"].bool == true { return [] }
            throw missing(isSecret ? "secret" : "configmap", name)
        }
        let pairs = object["data"].stringMap.sorted { $0.key < $1.key }
        guard isSecret else { return pairs.map { ($0.key, $0.value) } }
        return pairs.map { ($0.key, String(decoding: Base64.decode($0.value) ?? [], as: UTF8.self)) }
    }

    private static func value(
        _ source: JSON, container: Container, downward: DownwardAPI, lookup: ReferenceLookup
    ) async throws -> String? {
        do {
            if let path = source["fieldRef"]["fieldPath"].string { return try downward.field(path) }
            if !source["resourceFieldRef"].isNull {
                return try downward.resource(source["resourceFieldRef"], container: container.name)
            }
        } catch {
            throw StartFailure.configuration(reason: "CreateContainerConfigError", message: "\(error)")
        }
        let isSecret = !source["secretKeyRef"].isNull
        let reference = isSecret ? source["secretKeyRef"] : source["configMapKeyRef"]
        guard let name = reference["name"].string, let key = reference["key"].string else { return nil }
        let isOptional = reference["optional"].bool == true
        guard let object = await lookup(isSecret ? .secrets : .configMaps, name) else {
            if isOptional { return nil }
            throw missing(isSecret ? "secret" : "configmap", name)
        }
        if let text = object["data"][key].string {
            return isSecret ? String(decoding: Base64.decode(text) ?? [], as: UTF8.self) : text
        }
        if isOptional { return nil }
        let kind = isSecret ? "Secret" : "ConfigMap"
        throw StartFailure.configuration(
            reason: "CreateContainerConfigError",
            message: "couldn't find key \(key) in \(kind) \(object.namespace)/\(name)")
    }

    private static func missing(_ kind: String, _ name: String) -> StartFailure {
        .configuration(reason: "CreateContainerConfigError", message: "\(kind) \"\(name)\" not found")
    }
}
