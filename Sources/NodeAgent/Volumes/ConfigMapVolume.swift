import KubernetesModel

/// `configMap`: the entries of a ConfigMap as files.
struct ConfigMapVolume: GeneratedVolumePlugin {
    var name: String { "configMap" }
    var directory: String? { "configmap" }
    var isSecret: Bool { false }

    func add(_ source: JSON, to content: inout VolumeContent, host: VolumeHost) async throws -> Timestamp? {
        let name = source["name"].string ?? ""
        let isOptional = source["optional"].bool == true
        guard let object = await host.lookup(.configMaps, name) else {
            if isOptional { return nil }
            throw VolumeError(description: "configmap \"\(name)\" not found")
        }
        var data = object["data"].stringMap.mapValues { Array($0.utf8) }
        for (key, text) in object["binaryData"].stringMap { data[key] = Base64.decode(text) }
        try content.add(data, items: source["items"], isOptional: isOptional, of: "configmap")
        return nil
    }
}
