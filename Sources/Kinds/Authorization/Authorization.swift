import APIMachinery
import KubernetesModel

/// The kinds of authorization.k8s.io: questions, which are answered and not stored.
extension Kind {
    private static let group = Group("authorization.k8s.io", "v1")

    static let localSubjectAccessReview = Kind(
        group.row("localsubjectaccessreviews", "LocalSubjectAccessReview", verbs: ["create"]))
    static let selfSubjectAccessReview = Kind(
        group.row("selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced: false, verbs: ["create"]))
    static let selfSubjectRulesReview = Kind(
        group.row("selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced: false, verbs: ["create"]))
    static let subjectAccessReview = Kind(
        group.row("subjectaccessreviews", "SubjectAccessReview", namespaced: false, verbs: ["create"]))
}
