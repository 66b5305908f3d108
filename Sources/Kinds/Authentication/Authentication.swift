import APIMachinery
import KubernetesModel

/// The kinds of authentication.k8s.io: questions, which are answered and not stored.
extension Kind {
    private static let group = Group("authentication.k8s.io", "v1")

    static let selfSubjectReview = Kind(
        group.row("selfsubjectreviews", "SelfSubjectReview", namespaced: false, verbs: ["create"]))
    static let tokenReview = Kind(group.row("tokenreviews", "TokenReview", namespaced: false, verbs: ["create"]))
}
