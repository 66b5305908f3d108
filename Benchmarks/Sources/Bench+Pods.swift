import APIClient
import Foundation
import KubernetesModel

extension Bench {
    /// The program of the measured pods, on the machine's own root: ready once it runs, ends on SIGTERM, which the first
    /// process of a container gets only if it asks for it.
    static let container: JSON = [
        "name": "sleep", "image": "host",
        "command": ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000000 & wait; done"],
    ]

    private func pod(_ name: String) -> Object {
        var pod = Object(.pods, namespace: "default", name: name)
        pod.spec = ["containers": [Self.container], "terminationGracePeriodSeconds": 1]
        return pod
    }

    static func isReady(_ pod: Object) -> Bool {
        pod.status["conditions"].items.contains { $0["type"] == "Ready" && $0["status"] == "True" }
    }

    /// One pod after another: create → Ready, delete → gone, by watches.
    func pods(_ client: HTTPSClient) async throws -> [Row] {
        var ready: [Double] = []
        var gone: [Double] = []
        for index in 0..<20 {
            let name = "one-\(index)"
            let revision = try await client.list(.pods, namespace: "default").resourceVersion
            let begin = ContinuousClock.now
            try await client.create(.pods, pod(name))
            let options = ListOptions(fieldSelector: "metadata.name=\(name)", resourceVersion: revision)
            var deleted: ContinuousClock.Instant?
            watching: for try await event in client.watch(.pods, namespace: "default", options: options) {
                switch event {
                case .added(let pod), .modified(let pod):
                    guard deleted == nil, Self.isReady(pod) else { continue }
                    ready.append((ContinuousClock.now - begin) / .milliseconds(1))
                    deleted = .now
                    try await client.delete(.pods, pod.key)
                case .deleted:
                    if let deleted { gone.append((ContinuousClock.now - deleted) / .milliseconds(1)) }
                    break watching
                case .bookmark: continue
                }
            }
        }
        return [
            Row(
                "pod: create to Ready, median of 20", ready.median, "ms", budget: 40,
                reference: "1069 ms"),
            Row(
                "pod: create to Ready, worst of 20", ready.max() ?? 0, "ms", budget: 100,
                reference: "1125 ms"),
            Row(
                "pod: delete to gone, median of 20", gone.median, "ms", budget: 60,
                reference: "8.9 s"),
        ]
    }

    /// A Deployment from none to fifty ready pods and back, and what a pod costs in memory.
    func deployment(_ client: HTTPSClient) async throws -> [Row] {
        let before = try usage().memory
        var object = Object(.deployments, namespace: "default", name: "fifty")
        object.spec = [
            "replicas": 50, "selector": ["matchLabels": ["app": "fifty"]],
            "template": [
                "metadata": ["labels": ["app": "fifty"]],
                "spec": ["containers": [Self.container], "terminationGracePeriodSeconds": 1],
            ],
        ]
        let key = object.key
        let up = try await milliseconds {
            try await client.create(.deployments, object)
            try await untilReplicas(client, key) { ($0.status["readyReplicas"].int ?? 0) == 50 }
        }
        let after = try usage().memory
        let down = try await milliseconds {
            _ = try await client.patch(
                .deployments, namespace: key.namespace, name: key.name, subresource: nil,
                .merge(["spec": ["replicas": 0]]))
            while try await !client.list(
                .pods, namespace: "default", options: ListOptions(labelSelector: "app=fifty")
            ).items.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        }
        try await client.delete(.deployments, key)
        return [
            Row("deployment: 0 to 50 Ready", up / 1000, "s", budget: 1.5, reference: "38.6 s"),
            Row("deployment: 50 to 0", down / 1000, "s", budget: 1.5, reference: "93 s"),
            Row(
                "deployment: memory a pod, all of the cluster's growth", (after - before) / 50 / 1e6,
                "MB", budget: 1, reference: "12.1 MB"),
        ]
    }

    private func untilReplicas(
        _ client: HTTPSClient, _ key: ObjectKey, _ condition: (Object) -> Bool
    ) async throws {
        let options = ListOptions(fieldSelector: "metadata.name=\(key.name)", resourceVersion: "0")
        for try await event in client.watch(.deployments, namespace: key.namespace, options: options) {
            switch event {
            case .added(let object), .modified(let object): if condition(object) { return }
            case .deleted, .bookmark: continue
            }
        }
    }
}
