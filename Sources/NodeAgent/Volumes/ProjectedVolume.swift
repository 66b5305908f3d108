import KubernetesModel

/// `projected`: the files of several sources in one directory.
struct ProjectedVolume: GeneratedVolumePlugin {
    var name: String { "projected" }
    var directory: String? { "projected" }

    static let sources: [any ContentSource] = [
        ConfigMapVolume(), SecretVolume(), DownwardAPIVolume(), ServiceAccountTokenSource(),
    ]

    func add(_ source: JSON, to content: inout VolumeContent, host: VolumeHost) async throws -> Timestamp? {
        var renewal: Timestamp?
        for projection in source["sources"].items {
            for type in Self.sources where !projection[type.name].isNull {
                if let moment = try await type.add(projection[type.name], to: &content, host: host) {
                    renewal = min(renewal ?? moment, moment)
                }
            }
        }
        return renewal
    }
}

/// `serviceAccountToken` of a `projected` volume.
struct ServiceAccountTokenSource: ContentSource {
    var name: String { "serviceAccountToken" }

    func add(_ source: JSON, to content: inout VolumeContent, host: VolumeHost) async throws -> Timestamp? {
        let (token, renewal) = try await host.tokens.token(pod: host.pod, source)
        content.add(source["path"].string ?? "token", Array(token.utf8), mode: nil)
        return renewal
    }
}
