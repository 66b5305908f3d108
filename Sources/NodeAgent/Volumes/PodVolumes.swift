import APIClient
import Glibc
import KubernetesModel
import Linux

/// Makes and updates the folders of a pod's volumes.
struct PodVolumes: Sendable {
    let paths: PodPaths
    let client: any Client
    let downward: DownwardAPI
    let lookup: ReferenceLookup
    let tokens: TokenSource

    struct VolumeError: Error, CustomStringConvertible {
        let description: String
    }

    private var pod: Object { downward.pod }

    /// Makes every volume that is not there yet, and renews the content of those that come from the API.
    ///
    /// - Returns: when the next service account token has to be renewed.
    /// - Throws: `VolumeError` with the text of the `FailedMount` event.
    func prepare() async throws -> Timestamp? {
        var renewal: Timestamp?
        for volume in pod.spec["volumes"].items {
            let name = volume["name"].string ?? ""
            do {
                if let moment = try await prepare(volume, name: name) { renewal = min(renewal ?? moment, moment) }
            } catch {
                throw VolumeError(description: "MountVolume.SetUp failed for volume \"\(name)\" : \(error)")
            }
        }
        return renewal
    }

    /// The host's path of a volume.
    func path(_ volume: JSON) -> String? {
        guard let name = volume["name"].string else { return nil }
        if let path = volume["hostPath"]["path"].string { return path }
        return Self.kinds.first { !volume[$0.field].isNull }.map { paths.volume($0.folder, name) }
    }

    private static let kinds = [
        (field: "emptyDir", folder: "empty-dir"), (field: "configMap", folder: "configmap"),
        (field: "secret", folder: "secret"), (field: "projected", folder: "projected"),
        (field: "downwardAPI", folder: "downward-api"),
    ]

    private func prepare(_ volume: JSON, name: String) async throws -> Timestamp? {
        guard let path = path(volume) else {
            let kind = volume.object?.keys.first { $0 != "name" } ?? "?"
            throw VolumeError(description: "volumes of type \(kind) are not supported by this node")
        }
        if !volume["emptyDir"].isNull {
            try await makeEmpty(path, volume["emptyDir"])
            return nil
        }
        if !volume["hostPath"].isNull {
            let type = volume["hostPath"]["type"].string ?? ""
            try await Blocking.run { () throws(HostPathError) in try checkHostPath(path, type: type) }
            return nil
        }
        var content = VolumeContent(defaultMode: volume.members.compactMap { $0["defaultMode"].int }.first)
        var renewal: Timestamp?
        if !volume["configMap"].isNull { try await add(configMap: volume["configMap"], to: &content) }
        if !volume["secret"].isNull { try await add(secret: volume["secret"], to: &content) }
        if !volume["downwardAPI"].isNull { try add(downward: volume["downwardAPI"], to: &content) }
        for source in volume["projected"]["sources"].items {
            if !source["configMap"].isNull { try await add(configMap: source["configMap"], to: &content) }
            if !source["secret"].isNull { try await add(secret: source["secret"], to: &content) }
            if !source["downwardAPI"].isNull { try add(downward: source["downwardAPI"], to: &content) }
            if !source["serviceAccountToken"].isNull {
                let token = source["serviceAccountToken"]
                let (text, renew) = try await tokens.token(pod: pod, token)
                content.add(token["path"].string ?? "token", Array(text.utf8), mode: nil)
                renewal = min(renewal ?? renew, renew)
            }
        }
        let group = pod.spec["securityContext"]["fsGroup"].int
        let ready = content
        try await Blocking.run { () throws(SystemError) in try ready.write(to: path, group: group) }
        return renewal
    }

    private func makeEmpty(_ path: String, _ source: JSON) async throws {
        let isMemory = source["medium"].string == "Memory"
        let limit = Quantity(source["sizeLimit"])?.value
        let group = pod.spec["securityContext"]["fsGroup"].int
        try await Blocking.run { () throws(SystemError) in
            try makeFolder(path, mode: 0o777)
            if isMemory, !isMountPoint(path) {
                let options = limit.map { "mode=1777,size=\($0)" } ?? "mode=1777"
                if mount("tmpfs", path, "tmpfs", UInt(MS_NOSUID | MS_NODEV), options) != 0 {
                    throw SystemError("mount tmpfs", path)
                }
            }
            if let group {
                chown(path, 0, gid_t(truncatingIfNeeded: group))
                chmod(path, 0o2777)
            } else {
                chmod(path, 0o777)
            }
        }
    }

    private func add(configMap source: JSON, to content: inout VolumeContent) async throws {
        let name = source["name"].string ?? ""
        let isOptional = source["optional"].bool == true
        guard let object = await lookup(.configMaps, name) else {
            if isOptional { return }
            throw VolumeError(description: "configmap \"\(name)\" not found")
        }
        var data = object["data"].stringMap.mapValues { Array($0.utf8) }
        for (key, text) in object["binaryData"].stringMap { data[key] = Base64.decode(text) }
        try content.add(data, items: source["items"], isOptional: isOptional, of: "configmap")
    }

    private func add(secret source: JSON, to content: inout VolumeContent) async throws {
        // A projection calls it `name`.
        let name = source["secretName"].string ?? source["name"].string ?? ""
        let isOptional = source["optional"].bool == true
        guard let object = await lookup(.secrets, name) else {
            if isOptional { return }
            throw VolumeError(description: "secret \"\(name)\" not found")
        }
        let data = object["data"].stringMap.compactMapValues(Base64.decode)
        try content.add(data, items: source["items"], isOptional: isOptional, of: "secret")
    }

    private func add(downward source: JSON, to content: inout VolumeContent) throws {
        for item in source["items"].items {
            let text =
                if let path = item["fieldRef"]["fieldPath"].string {
                    try downward.field(path)
                } else {
                    try downward.resource(item["resourceFieldRef"], container: "")
                }
            content.add(item["path"].string ?? "", Array(text.utf8), mode: item["mode"].int)
        }
    }
}

extension JSON {
    fileprivate var members: [JSON] { object.map { Array($0.values) } ?? [] }
}
