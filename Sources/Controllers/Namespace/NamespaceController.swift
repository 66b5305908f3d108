import APIClient
import KubernetesModel

/// Gives each namespace what pods in it need (ServiceAccount `default`, ConfigMap `kube-root-ca.crt`), and empties one
/// that is deleted.
struct NamespaceController: ControlLoop {
    private let contents: Controller
    private let deletion: Controller

    init(_ context: ControlLoopContext) {
        let namespaces = context.informers[.namespaces]
        let accounts = context.informers[.serviceAccounts]
        let configMaps = context.informers[.configMaps]
        let contentsQueue = WorkQueue<ObjectKey>()
        let deletionQueue = WorkQueue<ObjectKey>()
        contents = Controller(
            name: "namespace contents", queue: contentsQueue,
            reconciler: NamespaceContentsReconciler(
                client: context.client, namespaces: namespaces, accounts: accounts, configMaps: configMaps,
                rootCertificate: context.options.rootCertificate),
            reads: [namespaces, accounts, configMaps], logger: context.logger)
        let types = context.options.types.filter(\.namespaced)
        deletion = Controller(
            name: "namespace deletion", queue: deletionQueue,
            reconciler: NamespaceDeletionReconciler(client: context.client, namespaces: namespaces, types: types),
            reads: [namespaces], logger: context.logger)

        namespaces.addHandler { change in
            contentsQueue.add(change.key)
            if change.object.isBeingDeleted { deletionQueue.add(change.key) }
        }
        for (informer, name) in [
            (accounts, NamespaceContentsReconciler.account), (configMaps, NamespaceContentsReconciler.configMap),
        ] {
            informer.addHandler { change in
                guard change.key.name == name else { return }
                contentsQueue.add(ObjectKey(name: change.key.namespace))
            }
        }
        // A namespace is gone when the last object in it is: pods take their time.
        for type in types where type != .events {
            context.informers[type].addHandler { change in
                guard case .deleted(let object) = change,
                    namespaces.get(namespace: "", object.namespace)?.isBeingDeleted == true
                else { return }
                deletionQueue.add(ObjectKey(name: object.namespace))
            }
        }
    }

    func run() async { await run([contents, deletion]) }
}

struct NamespaceContentsReconciler: Reconciler {
    static let account = "default"
    static let configMap = "kube-root-ca.crt"

    let client: any Client
    let namespaces: Informer
    let accounts: Informer
    let configMaps: Informer
    let rootCertificate: String

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let namespace = namespaces.get(key), !namespace.isBeingDeleted else { return nil }
        if accounts.get(namespace: key.name, Self.account) == nil {
            try await create(.serviceAccounts, Object(.serviceAccounts, namespace: key.name, name: Self.account))
        }
        let present = configMaps.get(namespace: key.name, Self.configMap)
        guard present?["data"]["ca.crt"].string != rootCertificate else { return nil }
        var wanted = present ?? Object(.configMaps, namespace: key.name, name: Self.configMap)
        wanted["data"] = ["ca.crt": .string(rootCertificate)]
        if present == nil {
            wanted.setAnnotation(
                "kubernetes.io/description",
                "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such "
                    + "as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across "
                    + "distributions of Kubernetes clusters.")
            try await create(.configMaps, wanted)
        } else {
            try await client.update(.configMaps, wanted)
        }
        return nil
    }

    private func create(_ type: ResourceType, _ object: Object) async throws {
        do {
            try await client.create(type, object)
        } catch let status as Status where status.isAlreadyExists {
            // The informer shows it soon.
        }
    }
}

/// Deletes all that is in a namespace that is deleted, then lets the namespace go.
struct NamespaceDeletionReconciler: Reconciler {
    let client: any Client
    let namespaces: Informer
    let types: [ResourceType]

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        guard let namespace = namespaces.get(key), namespace.isBeingDeleted,
            namespace.spec["finalizers"].strings.contains("kubernetes")
        else { return nil }
        let remaining = try await empty(namespace.name)
        guard remaining.isEmpty else {
            var status = namespace.status
            status["phase"] = "Terminating"
            NamespaceConditions.set(in: &status, remaining: remaining, now: .now)
            try await client.writeStatus(.namespaces, namespace, status)
            // Each deletion brings the key back; this is for what an informer does not see.
            return .after(.seconds(5))
        }
        var finalized = try await client.get(.namespaces, key)
        guard finalized.uid == namespace.uid else { return nil }
        let finalizers = finalized.spec["finalizers"].strings.filter { $0 != "kubernetes" }
        finalized.spec["finalizers"] = JSON(finalizers)
        do {
            try await client.update(.namespaces, finalized, subresource: "finalize")
        } catch let status as Status where status.isNotFound {}
        return nil
    }

    /// Deletes what is there and returns what stays, as `kind of thing → objects`.
    private func empty(_ namespace: String) async throws -> [ResourceType: [Object]] {
        try await withThrowingTaskGroup(of: (ResourceType, [Object]).self) { group in
            for type in types {
                group.addTask {
                    do {
                        return (type, try await empty(type, in: namespace))
                    } catch let status as Status where status.isNotFound || status.code == 405 {
                        // Not served any more, such as a custom type whose definition went first.
                        return (type, [])
                    }
                }
            }
            var remaining: [ResourceType: [Object]] = [:]
            for try await (type, objects) in group where !objects.isEmpty { remaining[type] = objects }
            return remaining
        }
    }

    private func empty(_ type: ResourceType, in namespace: String) async throws -> [Object] {
        let objects = try await client.list(type, namespace: namespace).items
        guard !objects.isEmpty else { return [] }
        try await concurrently(objects.filter { !$0.isBeingDeleted }) { object in
            do {
                try await client.delete(
                    type, object.key, options: DeleteOptions(propagation: .background, uid: object.uid))
            } catch let status as Status where status.isNotFound || status.isConflict {
                // Gone, or replaced: the list below tells.
            }
        }
        return try await client.list(type, namespace: namespace).items
    }
}
