import APIClient
import KubernetesModel

/// Gives each namespace what pods in it need: the ServiceAccount `default` and the ConfigMap `kube-root-ca.crt`.
struct NamespaceContentsController: Controller {
    private static let account = "default"
    private static let configMap = "kube-root-ca.crt"

    private let client: any Client
    private let namespaces: Informer
    private let accounts: Informer
    private let configMaps: Informer
    private let rootCertificate: String

    let name = "namespace contents"
    var reads: [Informer] { [namespaces, accounts, configMaps] }

    init(_ context: ControllerContext) {
        client = context.client
        namespaces = context.informers[.namespaces]
        accounts = context.informers[.serviceAccounts]
        configMaps = context.informers[.configMaps]
        rootCertificate = context.options.rootCertificate
    }

    func watch(_ queue: WorkQueue<ObjectKey>) {
        namespaces.addHandler { queue.add($0.key) }
        for (informer, name) in [(accounts, Self.account), (configMaps, Self.configMap)] {
            informer.addHandler { change in
                if change.key.name == name { queue.add(ObjectKey(name: change.key.namespace)) }
            }
        }
    }

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
