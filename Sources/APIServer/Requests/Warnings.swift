import KubernetesModel
import Synchronization

/// What a request's answer says in `Warning` headers, gathered along the pipeline.
final class Warnings: Sendable {
    private let texts = Mutex(WarningTexts())

    func add(_ text: String) {
        texts.withLock { $0.add(text) }
    }

    /// What every request on a kind that is on its way out is told.
    static func deprecation(of type: ResourceType) -> String? {
        switch type.groupResource {
        case "endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
        case "componentstatuses": "v1 ComponentStatus is deprecated in v1.19+"
        default: nil
        }
    }

    /// What the creation of an object is told that no controller acts on: it would seem to be at work.
    static func idleness(of type: ResourceType) -> String? {
        if type.groupResource == "poddisruptionbudgets.policy" {
            return
                "this version of Martlet does not count a budget's pods: evictions of ready pods that it selects are "
                + "refused unless its status is written by hand"
        }
        guard idle.contains(type.groupResource) else { return nil }
        return "this version of Martlet stores \(type.groupResource) but does not act on them"
    }

    private static let idle: Set<String> = [
        "apiservices.apiregistration.k8s.io", "certificatesigningrequests.certificates.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io", "cronjobs.batch",
        "customresourcedefinitions.apiextensions.k8s.io", "daemonsets.apps", "horizontalpodautoscalers.autoscaling",
        "ingresses.networking.k8s.io", "jobs.batch", "limitranges",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io", "networkpolicies.networking.k8s.io",
        "persistentvolumeclaims", "persistentvolumes", "replicationcontrollers", "resourcequotas",
        "rolebindings.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io", "statefulsets.apps",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
    ]

    /// The headers' values (RFC 7234, 5.5, with code 299).
    var headers: [String] {
        texts.withLock { texts in
            texts.ordered.map { text in
                let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(
                    "\n", with: " ")
                return "299 - \"\(escaped)\""
            }
        }
    }
}
