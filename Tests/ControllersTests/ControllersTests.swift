import APIClient
import InMemoryClient
import KubernetesModel
import TestSupport
import Testing

@testable import Controllers

let servedTypes: [ResourceType] = [
    .namespaces, .pods, .services, .endpoints, .endpointSlices, .configMaps, .secrets, .serviceAccounts, .events,
    .deployments, .replicaSets, .replicationControllers, .nodes, .leases,
]

/// Runs all controllers over a client in memory while `body` runs.
func withControllers(
    options: ControllerOptions = ControllerOptions(rootCertificate: "PEM", types: servedTypes),
    _ body: (InMemoryClient) async throws -> Void
) async throws {
    let client = InMemoryClient()
    try await withThrowingTaskGroup(of: Void.self) { group in
        let controllers = Controllers(client: client, options: options)
        group.addTask { await controllers.run() }
        defer { group.cancelAll() }
        try await body(client)
    }
}

func deployment(_ name: String = "web", replicas: Int, image: String = "hello:1", strategy: JSON = [:]) -> Object {
    var deployment = Object(.deployments, namespace: "default", name: name)
    deployment.spec = [
        "replicas": JSON(replicas), "selector": ["matchLabels": ["app": .string(name)]],
        "template": [
            "metadata": ["labels": ["app": .string(name)]],
            "spec": ["containers": [["name": "c", "image": .string(image)]]],
        ],
        "strategy": strategy,
    ]
    return deployment
}

extension InMemoryClient {
    /// Makes every pod that is not ready ready, as a node agent would.
    func makePodsReady(limit: Int = Int.max) async throws {
        for pod in all(.pods).filter({ !$0.isReadyPod && !$0.isBeingDeleted }).prefix(limit) {
            var pod = pod
            pod.status["phase"] = "Running"
            pod.status["podIP"] = .string("10.244.1.\(pod.resourceVersion.suffix(3))")
            pod.setCondition(Condition("Ready", true))
            do {
                try await updateStatus(.pods, pod)
            } catch let status as Status where status.isNotFound || status.isConflict {}
        }
    }

    func change(_ type: ResourceType, _ name: String, _ body: (inout Object) -> Void) async throws {
        while true {
            var object = try await get(type, namespace: type.namespaced ? "default" : nil, name: name)
            body(&object)
            do {
                try await update(type, object)
                return
            } catch let status as Status where status.isConflict {}
        }
    }

    func isComplete(_ name: String) -> Bool {
        guard let deployment = object(.deployments, name) else { return false }
        return DeploymentPlan.isComplete(deployment.status, deployment)
            && deployment.status.conditions["Progressing"]?.reason == "NewReplicaSetAvailable"
    }
}

@Suite struct RolloutTests {
    @Test func scalesFromNothing() async throws {
        try await withControllers { client in
            try await client.create(.deployments, deployment(replicas: 50))
            try await eventually("50 pods") { client.all(.pods).count == 50 }
            try await client.makePodsReady()
            try await eventually("rollout complete") { client.isComplete("web") }
            #expect(client.writes["create pods"] == 50)
            let object = try #require(client.object(.deployments, "web"))
            #expect(object.revision == 1)
            #expect(object.status.conditions["Available"]?.status == "True")
            let set = try #require(client.all(.replicaSets).first)
            #expect(set.annotations["deployment.kubernetes.io/desired-replicas"] == "50")
            #expect(set.annotations["deployment.kubernetes.io/max-replicas"] == "63")

            try await client.change(.deployments, "web") { $0.replicas = 0 }
            try await eventually("no pods") { client.all(.pods).isEmpty }
            try await eventually("status 0") { client.isComplete("web") }
        }
    }

    /// At no time are there fewer available pods or more pods than the strategy allows; undo reuses the ReplicaSet.
    @Test func rollsWithinLimitsAndBack() async throws {
        try await withControllers { client in
            let strategy: JSON = [
                "type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1, "maxUnavailable": 0],
            ]
            try await client.create(.deployments, deployment(replicas: 3, strategy: strategy))
            try await eventually("first rollout") {
                try await client.makePodsReady()
                return client.isComplete("web")
            }
            try await client.change(.deployments, "web") {
                $0.spec["template"]["spec"]["containers"][0]["image"] = "hello:2"
            }
            try await eventually("second rollout") {
                try await client.makePodsReady(limit: 1)
                let pods = client.all(.pods)
                #expect(pods.count <= 4)
                #expect(pods.count(where: \.isReadyPod) >= 3)
                return client.isComplete("web") && client.object(.deployments, "web")?.revision == 2
            }
            #expect(client.all(.replicaSets).map(\.replicas).sorted() == [0, 3])

            try await client.change(.deployments, "web") {
                $0.spec["template"]["spec"]["containers"][0]["image"] = "hello:1"
            }
            try await eventually("undone") {
                try await client.makePodsReady()
                return client.isComplete("web") && client.object(.deployments, "web")?.revision == 3
            }
            let sets = client.all(.replicaSets).sorted { $0.revision < $1.revision }
            #expect(sets.map(\.revision) == [2, 3])
            #expect(sets.last?.annotations["deployment.kubernetes.io/revision-history"] == "1")
        }
    }

    @Test func pausesAndResumes() async throws {
        try await withControllers { client in
            try await client.create(.deployments, deployment(replicas: 2))
            try await eventually("first rollout") {
                try await client.makePodsReady()
                return client.isComplete("web")
            }
            try await client.change(.deployments, "web") {
                $0.spec["paused"] = true
                $0.spec["template"]["spec"]["containers"][0]["image"] = "hello:2"
            }
            try await eventually("paused") {
                client.object(.deployments, "web")?.status.conditions["Progressing"]?.reason
                    == "DeploymentPaused"
            }
            #expect(client.all(.replicaSets).count == 1)
            try await client.change(.deployments, "web") { $0.spec["paused"] = .null }
            try await eventually("second rollout") {
                try await client.makePodsReady()
                return client.isComplete("web") && client.object(.deployments, "web")?.revision == 2
            }
        }
    }

    @Test func recreateWaitsForOldPods() async throws {
        try await withControllers { client in
            var object = deployment(replicas: 2, strategy: ["type": "Recreate"])
            object.spec["template"]["metadata"]["finalizers"] = ["test/hold"]
            try await client.create(.deployments, object)
            try await eventually("first rollout") {
                try await client.makePodsReady()
                return client.isComplete("web")
            }
            try await client.change(.deployments, "web") {
                $0.spec["template"]["spec"]["containers"][0]["image"] = "hello:2"
            }
            try await eventually("old pods terminating") { client.all(.pods).allSatisfy(\.isBeingDeleted) }
            #expect(client.all(.replicaSets).count == 1)
            for pod in client.all(.pods) {
                try await client.change(.pods, pod.name) { $0.metadata["finalizers"] = .null }
            }
            try await eventually("second rollout") {
                try await client.makePodsReady()
                return client.isComplete("web") && client.object(.deployments, "web")?.revision == 2
            }
        }
    }

    @Test func saysWhyPodsAreNotMade() async throws {
        try await withControllers { client in
            client.fail { verb, type, object in
                verb == "create" && type == .pods ? Status.forbidden(.pods, object.name, "exceeded quota") : nil
            }
            try await client.create(.deployments, deployment(replicas: 1))
            try await eventually("ReplicaFailure") {
                client.object(.deployments, "web")?.status.conditions["ReplicaFailure"]?.reason
                    == "FailedCreate"
            }
            client.fail(nil)
            try await eventually("rollout") {
                try await client.makePodsReady()
                return client.isComplete("web")
            }
            #expect(
                client.object(.deployments, "web")?.status.conditions["ReplicaFailure"] == nil)
        }
    }

    @Test func adoptsAndReleasesPods() async throws {
        try await withControllers { client in
            var pod = Object(.pods, namespace: "default", name: "stray")
            pod.metadata["labels"] = ["app": "web", "pod-template-hash": "x"]
            try await client.create(.pods, pod)
            var set = Object(.replicaSets, namespace: "default", name: "web")
            set.spec = deployment(replicas: 1).spec
            try await client.create(.replicaSets, set)
            try await eventually("adoption") { client.object(.pods, "stray")?.controller?.name == "web" }
            #expect(client.all(.pods).count == 1)
            try await client.change(.pods, "stray") { $0.metadata["labels"] = ["app": "other"] }
            try await eventually("release and replacement") {
                client.object(.pods, "stray")?.controller == nil && client.all(.pods).count == 2
            }
        }
    }
}

@Suite struct NamespaceTests {
    @Test func fillsAndEmpties() async throws {
        try await withControllers { client in
            try await client.create(.namespaces, Object(.namespaces, name: "shop"))
            try await eventually("contents") {
                client.object(.serviceAccounts, "default", namespace: "shop") != nil
                    && client.object(.configMaps, "kube-root-ca.crt", namespace: "shop")?["data"]["ca.crt"].string
                        == "PEM"
            }
            try await client.create(.secrets, Object(.secrets, namespace: "shop", name: "s"))
            try await client.delete(.namespaces, namespace: nil, name: "shop", options: DeleteOptions())
            try await eventually("gone") { client.object(.namespaces, "shop") == nil }
            for type in servedTypes where type.namespaced { #expect(client.all(type, namespace: "shop").isEmpty) }
        }
    }
}

@Suite struct ServiceTests {
    static func service(_ name: String, type: String = "ClusterIP") -> Object {
        var service = Object(.services, namespace: "default", name: name)
        service.spec = [
            "type": .string(type), "selector": ["app": "web"], "ports": [["port": 80, "targetPort": "http"]],
        ]
        return service
    }

    /// Endpoints that a user wrote go with their Service, and stay where there never was one.
    @Test func writtenEndpointsGoWithTheirService() async throws {
        try await withControllers { client in
            var service = Self.service("db")
            service.spec["selector"] = .null
            try await client.create(.services, service)
            for name in ["db", "other"] {
                var endpoints = Object(.endpoints, namespace: "default", name: name)
                endpoints["subsets"] = [["addresses": [["ip": "10.0.0.1"]], "ports": [["port": 5432]]]]
                try await client.create(.endpoints, endpoints)
            }
            try await eventually("both have been seen: the first is mirrored") {
                client.all(.endpointSlices).count >= 1
            }
            try await client.delete(.services, namespace: "default", name: "db", options: DeleteOptions())
            try await eventually("removed") { client.object(.endpoints, "db") == nil }
            #expect(client.object(.endpoints, "other") != nil)
        }
    }

    @Test func publishesReadyPods() async throws {
        try await withControllers { client in
            try await client.create(.services, Self.service("web"))
            var pod = Object(.pods, namespace: "default", name: "web-1")
            pod.metadata["labels"] = ["app": "web"]
            pod.spec["containers"] = [["name": "c", "ports": [["name": "http", "containerPort": 8080]]]]
            try await client.create(.pods, pod)
            try await client.makePodsReady()
            func slice() -> Object? { client.all(.endpointSlices).first }
            try await eventually("ready endpoint") {
                client.all(.endpointSlices).count == 1
                    && slice()?["endpoints"][0]["conditions"]["ready"].bool == true
                    && client.object(.endpoints, "web")?["subsets"][0]["addresses"].items.count == 1
            }
            #expect(slice()?["ports"][0]["port"].int == 8080)
            #expect(client.object(.endpoints, "web")?["subsets"][0]["ports"][0]["port"].int == 8080)
            try await client.delete(.services, namespace: "default", name: "web", options: DeleteOptions())
            try await eventually("removed") {
                client.all(.endpointSlices).isEmpty && client.object(.endpoints, "web") == nil
            }
        }
    }

    @Test func givesEachLoadBalancerAnAddress() async throws {
        try await withControllers { client in
            for name in ["a", "b"] {
                try await client.create(.services, Self.service(name, type: "LoadBalancer"))
            }
            try await eventually("addresses") { client.all(.services).allSatisfy { $0.loadBalancerAddress != nil } }
            #expect(Set(client.all(.services).compactMap(\.loadBalancerAddress)) == ["127.16.0.1", "127.16.0.2"])
            let kept = client.object(.services, "b")?.loadBalancerAddress
            try await client.change(.services, "a") { $0.spec["type"] = "ClusterIP" }
            try await eventually("release") { client.object(.services, "a")?.loadBalancerAddress == nil }
            #expect(client.object(.services, "b")?.loadBalancerAddress == kept)
        }
    }
}
