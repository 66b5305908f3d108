import KubernetesModel

/// `downwardAPI`: fields of the pod itself as files.
struct DownwardAPIVolume: GeneratedVolumePlugin {
    var name: String { "downwardAPI" }
    var directory: String? { "downward-api" }

    func add(_ source: JSON, to content: inout VolumeContent, host: VolumeHost) async throws -> Timestamp? {
        for item in source["items"].items {
            let text =
                if let path = item["fieldRef"]["fieldPath"].string {
                    try host.downward.field(path)
                } else {
                    try host.downward.resource(item["resourceFieldRef"], container: "")
                }
            content.add(item["path"].string ?? "", Array(text.utf8), mode: item["mode"].int)
        }
        return nil
    }
}
