import APIClient
import KubernetesModel

/// Pipeline steps: all mutating plug-ins in their order and, once the object is valid, all validating ones.
///
/// A request that no plug-in handles costs no more than asking each of them.
struct AdmissionChain: Sendable {
    private let mutating: [any MutatingAdmissionPlugin]
    private let validating: [any ValidatingAdmissionPlugin]

    init(_ plugins: [any AdmissionPlugin]) {
        mutating = plugins.compactMap { $0 as? any MutatingAdmissionPlugin }
        validating = plugins.compactMap { $0 as? any ValidatingAdmissionPlugin }
    }

    /// - Parameter name: the name of the object that the request is about.
    func mutate(
        _ object: inout Object, old: Object? = nil, _ operation: AdmissionOperation, _ request: ResourceRequest,
        name: String, deletion: DeleteOptions? = nil, _ context: RequestContext
    ) async throws(Status) {
        func handles(_ plugin: any AdmissionPlugin) -> Bool {
            plugin.handles(operation, request.type, subresource: request.subresource)
        }
        guard mutating.contains(where: handles) else { return }
        var attributes = AdmissionAttributes(
            operation, request, name: name, object: object, oldObject: old, deleteOptions: deletion, context)
        // With one reference left, plug-ins change the object in place.
        object = Object(.null)
        defer { object = attributes.object }
        for plugin in mutating where handles(plugin) { try await plugin.admit(&attributes) }
    }

    func validate(
        _ object: Object, old: Object? = nil, _ operation: AdmissionOperation, _ request: ResourceRequest,
        name: String, deletion: DeleteOptions? = nil, _ context: RequestContext
    ) async throws(Status) {
        func handles(_ plugin: any AdmissionPlugin) -> Bool {
            plugin.handles(operation, request.type, subresource: request.subresource)
        }
        guard validating.contains(where: handles) else { return }
        let attributes = AdmissionAttributes(
            operation, request, name: name, object: object, oldObject: old, deleteOptions: deletion, context)
        for plugin in validating where handles(plugin) { try await plugin.validate(attributes) }
    }

    /// Whether any plug-in would see a request.
    func handles(_ operation: AdmissionOperation, _ request: ResourceRequest) -> Bool {
        (mutating as [any AdmissionPlugin] + validating).contains {
            $0.handles(operation, request.type, subresource: request.subresource)
        }
    }

    /// Both steps, for what is not stored: subresources that are an action, and connections.
    func admit(
        _ object: inout Object, _ operation: AdmissionOperation, _ request: ResourceRequest, name: String,
        _ context: RequestContext
    ) async throws(Status) {
        try await mutate(&object, operation, request, name: name, context)
        try await validate(object, operation, request, name: name, context)
    }
}
