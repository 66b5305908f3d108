import KubernetesModel

/// `secret`: the entries of a Secret as files.
struct SecretVolume: GeneratedVolumePlugin {
    var name: String { "secret" }
    var directory: String? { "secret" }

    func add(_ source: JSON, to content: inout VolumeContent, host: VolumeHost) async throws -> Timestamp? {
        // A projection calls it `name`.
        let name = source["secretName"].string ?? source["name"].string ?? ""
        let isOptional = source["optional"].bool == true
        guard let object = await host.lookup(.secrets, name) else {
            if isOptional { return nil }
            throw VolumeError(description: "secret \"\(name)\" not found")
        }
        let data = object["data"].stringMap.compactMapValues(Base64.decode)
        try content.add(data, items: source["items"], isOptional: isOptional, of: "secret")
        return nil
    }
}
