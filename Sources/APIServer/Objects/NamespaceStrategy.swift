import KubernetesModel

/// Namespaces end only when the namespace controller has emptied them and taken `kubernetes` off `spec.finalizers`.
struct NamespaceStrategy: Strategy {
    func prepareForCreate(_ object: inout Object, _ context: RequestContext) async throws(Status) {
        object.status = ["phase": "Active"]
        if !object.spec["finalizers"].strings.contains("kubernetes") {
            object.spec["finalizers"].append("kubernetes")
        }
        Self.label(&object)
    }

    func prepareForUpdate(_ object: inout Object, old: Object, _ context: RequestContext) async throws(Status) {
        object.spec["finalizers"] = old.spec["finalizers"]
        Self.label(&object)
    }

    func keeps(_ object: Object) -> Bool { !object.spec["finalizers"].items.isEmpty }

    func prepareForDelete(_ object: inout Object) { object.status["phase"] = "Terminating" }

    /// `NamespaceDefaultLabelName`: what selectors of namespaces rely on.
    private static func label(_ object: inout Object) {
        object.metadata["labels"]["kubernetes.io/metadata.name"] = .string(object.name)
    }
}
