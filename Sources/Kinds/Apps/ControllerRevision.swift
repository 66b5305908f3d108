import APIMachinery
import KubernetesModel

extension Kind {
    static let controllerRevision = Kind(
        Group.apps.row("controllerrevisions", "ControllerRevision"),
        validateUpdate: { $0.immutable("data", $1["data"], old: $2["data"]) },
        columns: Table.Columns([.name, "Controller", "Revision", .age]) { object, now in
            let controller = object.controller.map { owner -> String in
                let parts = owner.apiVersion.split(separator: "/")
                let group = parts.count > 1 ? ".\(parts[0])" : ""
                return "\(owner.kind.lowercased())\(group)/\(owner.name)"
            }
            return [
                .string(object.name), .string(controller ?? "<none>"), .string("\(object["revision"].int ?? 0)"),
                object.age(now),
            ]
        })
}
