import APIMachinery
import KubernetesModel

/// The kinds of metrics.k8s.io, which are measured when they are read.
extension Kind {
    private static let group = Group(
        "metrics.k8s.io", "v1beta1", definitions: "io.k8s.metrics.pkg.apis.metrics.v1beta1.")

    static let nodeMetrics = Kind(
        group.row("nodes", "NodeMetrics", namespaced: false, verbs: ["get", "list"], singular: ""))
    static let podMetrics = Kind(group.row("pods", "PodMetrics", verbs: ["get", "list"], singular: ""))
}
