import KubernetesModel

/// One check of requests before they take effect, named as upstream's with the same task
/// (https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/).
///
/// A plug-in is a `MutatingAdmissionPlugin`, a `ValidatingAdmissionPlugin` or both. Every request that it handles calls
/// it, dry runs too, of which it must leave no trace. An error refuses the request, and is its answer.
protocol AdmissionPlugin: Sendable {
    var name: String { get }
    /// Called several times a request: cheap, and always the same for the same arguments.
    func handles(_ operation: AdmissionOperation, _ type: ResourceType, subresource: String?) -> Bool
}

/// May change a request's object: after the schema's defaults, before the kind's strategy and validation.
protocol MutatingAdmissionPlugin: AdmissionPlugin {
    func admit(_ attributes: inout AdmissionAttributes) async throws(Status)
}

/// Sees a request's object as it would be stored, after validation.
protocol ValidatingAdmissionPlugin: AdmissionPlugin {
    func validate(_ attributes: AdmissionAttributes) async throws(Status)
}
