import KubernetesModel

/// The conditions that say why a namespace is still there.
enum NamespaceConditions {
    static func set(in status: inout JSON, remaining: [ResourceType: [Object]], now: Timestamp) {
        func put(_ type: String, _ isTrue: Bool, _ reason: String, _ message: String) {
            status.conditions.set(Condition(type, isTrue, reason: reason, message: message), now: now)
        }
        put("NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered", "All resources successfully discovered")
        put(
            "NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions",
            "All legacy kube types successfully parsed")
        put(
            "NamespaceDeletionContentFailure", false, "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization")

        let counts = remaining.map { "\($0.key.groupResource) has \($0.value.count) resource instances" }.sorted()
        put(
            "NamespaceContentRemaining", !remaining.isEmpty,
            remaining.isEmpty ? "ContentRemoved" : "SomeResourcesRemain",
            remaining.isEmpty
                ? "All content successfully removed" : "Some resources are remaining: " + counts.joined(separator: ", ")
        )
        var finalizers: [String: Int] = [:]
        for object in remaining.values.joined() { for name in object.finalizers { finalizers[name, default: 0] += 1 } }
        let texts = finalizers.sorted { $0.key < $1.key }.map { "\($0.key) in \($0.value) resource instances" }
        put(
            "NamespaceFinalizersRemaining", !texts.isEmpty,
            texts.isEmpty ? "ContentHasNoFinalizers" : "SomeFinalizersRemain",
            texts.isEmpty
                ? "All content-preserving finalizers finished"
                : "Some content in the namespace has finalizers remaining: " + texts.joined(separator: ", "))
    }
}
