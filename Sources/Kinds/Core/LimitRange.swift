import APIMachinery
import KubernetesModel

extension Kind {
    static let limitRange = Kind(
        Group.core.row("limitranges", "LimitRange", short: ["limits"]),
        defaults: { $0.json["spec"].changeEach("limits", containerDefaults) },
        columns: .nameAndCreation, isReconciled: false)

    private static func containerDefaults(_ limit: inout JSON) {
        guard limit["type"] == "Container" else { return }
        for (name, quantity) in limit["max"].object ?? [:] { limit["default"].fill(name, quantity) }
        for (name, quantity) in limit["default"].object ?? [:] { limit["defaultRequest"].fill(name, quantity) }
        for (name, quantity) in limit["min"].object ?? [:] { limit["defaultRequest"].fill(name, quantity) }
    }
}
