import APIMachinery
import KubernetesModel

extension Group {
    static let core = Group("", "v1")
}

/// The kinds of the core group that have no rules of their own.
extension Kind {
    static let binding = Kind(Group.core.row("bindings", "Binding", verbs: ["create"]))
}
