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
        content.addToken(source["path"].string ?? "token", Array(token.utf8), host: host)
        return renewal
    }
}

extension VolumeContent {
    /// As the kubelet: where all containers run as one user a token is that user's alone, where volumes have a group
    /// that group's too; only else it is for every user of the containers.
    mutating func addToken(_ path: String, _ bytes: [UInt8], host: VolumeHost) {
        let isOwned = host.user != nil || host.group != nil
        add(path, bytes, mode: isOwned ? 0o600 : nil, owner: host.user)
    }
}
