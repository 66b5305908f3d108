import APIClient
import InMemoryClient
import KubernetesModel
import TestSupport
import Testing

@testable import Controllers

@Suite struct GarbageCollectorTests {
    private static func rolledOut(_ client: InMemoryClient) async throws {
        try await client.create(.deployments, deployment(replicas: 2))
        try await eventually("rollout") {
            try await client.makePodsReady()
            return client.isComplete("web")
        }
    }

    private static func delete(_ client: InMemoryClient, _ policy: DeleteOptions.Propagation) async throws {
        try await client.delete(
            .deployments, namespace: "default", name: "web", options: DeleteOptions(propagation: policy))
    }

    @Test func deletesInTheBackground() async throws {
        try await withControllers { client in
            try await Self.rolledOut(client)
            try await Self.delete(client, .background)
            #expect(client.object(.deployments, "web") == nil)
            try await eventually("no pods") { client.all(.pods).isEmpty && client.all(.replicaSets).isEmpty }
        }
    }

    @Test func deletesInTheForeground() async throws {
        try await withControllers { client in
            try await Self.rolledOut(client)
            for pod in client.all(.pods) {
                try await client.change(.pods, pod.name) { $0.metadata["finalizers"] = ["test/hold"] }
            }
            try await Self.delete(client, .foreground)
            try await eventually("pods deleted") { client.all(.pods).allSatisfy(\.isBeingDeleted) }
            #expect(client.object(.deployments, "web")?.isBeingDeleted == true)
            #expect(client.all(.replicaSets).count == 1)
            for pod in client.all(.pods) {
                try await client.change(.pods, pod.name) { $0.metadata["finalizers"] = .null }
            }
            try await eventually("all gone") {
                client.object(.deployments, "web") == nil && client.all(.replicaSets).isEmpty
                    && client.all(.pods).isEmpty
            }
        }
    }

    /// Owners in a circle, of which one or all are deleted, go when what they own besides is gone.
    @Test(arguments: [["a"], ["a", "b", "c"]], [false, true])
    func resolvesACircle(deleted: [String], hasMore: Bool) async throws {
        try await withControllers { client in
            for name in ["a", "b", "c"] + (hasMore ? ["more"] : []) {
                try await client.create(.configMaps, Object(.configMaps, namespace: "default", name: name))
            }
            let owners = [("a", "c"), ("b", "a"), ("c", "b")] + (hasMore ? [("more", "b")] : [])
            for (name, owner) in owners {
                let reference = OwnerReference(controller: try #require(client.object(.configMaps, owner)))
                try await client.change(.configMaps, name) { object in
                    object.metadata["ownerReferences"] = [reference.json]
                    if name == "more" { object.metadata["finalizers"] = ["test/hold"] }
                }
            }
            for name in deleted {
                try await client.delete(
                    .configMaps, namespace: "default", name: name, options: DeleteOptions(propagation: .foreground))
            }
            if hasMore {
                try await eventually("all are being deleted") {
                    client.all(.configMaps, namespace: "default").allSatisfy(\.isBeingDeleted)
                }
                #expect(client.object(.configMaps, "b") != nil)
                try await client.change(.configMaps, "more") { $0.metadata["finalizers"] = .null }
            }
            try await eventually("all gone") {
                ["a", "b", "c", "more"].allSatisfy { client.object(.configMaps, $0) == nil }
            }
        }
    }

    @Test func orphans() async throws {
        try await withControllers { client in
            try await Self.rolledOut(client)
            try await Self.delete(client, .orphan)
            try await eventually("Deployment gone") { client.object(.deployments, "web") == nil }
            #expect(client.all(.replicaSets).map(\.ownerReferences) == [[]])
            #expect(client.all(.pods).count == 2)
        }
    }

    @Test func deletesWhatNamesAnOwnerThatNeverWas() async throws {
        try await withControllers { client in
            var map = Object(.configMaps, namespace: "default", name: "lost")
            map.metadata["ownerReferences"] = [
                ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "never"]
            ]
            try await client.create(.configMaps, map)
            try await eventually("gone") { client.object(.configMaps, "lost") == nil }
            // Of a type that is not served here nothing is known.
            map.metadata["ownerReferences"] = [
                ["apiVersion": "example.com/v1", "kind": "Widget", "name": "w", "uid": "never"]
            ]
            try await client.create(.configMaps, map)
            try await client.create(.secrets, Object(.secrets, namespace: "default", name: "s"))
            #expect(client.object(.configMaps, "lost") != nil)
        }
    }
}

@Suite struct NodeLifecycleTests {
    @Test func silentNodeLosesItsPods() async throws {
        var options = ControllerOptions(rootCertificate: "PEM", types: servedTypes)
        options.nodeMonitorGracePeriod = .milliseconds(100)
        try await withControllers(options: options) { client in
            var node = Object(.nodes, name: "node-1")
            node.status["conditions"] = [["type": "Ready", "status": "True"]]
            try await client.create(.nodes, node)
            var pod = Object(.pods, namespace: "default", name: "p")
            pod.spec["nodeName"] = "node-1"
            pod.spec["tolerations"] = [
                ["key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 0]
            ]
            try await client.create(.pods, pod)
            var staying = Object(.pods, namespace: "default", name: "q")
            staying.spec["nodeName"] = "node-1"
            staying.status["conditions"] = [["type": "Ready", "status": "True"]]
            try await client.create(.pods, staying)
            try await eventually("taints") {
                client.object(.nodes, "node-1")?.spec["taints"].items.compactMap { $0["effect"].string }
                    == ["NoSchedule", "NoExecute"]
            }
            #expect(client.object(.nodes, "node-1")?.condition("Ready")?.status == "Unknown")
            try await eventually("eviction") { client.object(.pods, "p") == nil }
            try await eventually("no traffic to the other") { client.object(.pods, "q")?.isReadyPod == false }
        }
    }

    struct TaintCase: Sendable {
        let ready: String?
        let unschedulable: Bool
        let wanted: [String]
    }

    @Test(arguments: [
        TaintCase(ready: "True", unschedulable: false, wanted: []),
        TaintCase(ready: nil, unschedulable: false, wanted: ["not-ready:NoSchedule"]),
        TaintCase(ready: "False", unschedulable: false, wanted: ["not-ready:NoSchedule", "not-ready:NoExecute"]),
        TaintCase(ready: "Unknown", unschedulable: false, wanted: ["unreachable:NoSchedule", "unreachable:NoExecute"]),
        TaintCase(ready: "True", unschedulable: true, wanted: ["unschedulable:NoSchedule"]),
    ])
    func taints(_ expectation: TaintCase) {
        var node = Object(.nodes, name: "n")
        if let ready = expectation.ready {
            node.status["conditions"] = [["type": "Ready", "status": .string(ready)]]
        }
        node.spec["unschedulable"] = JSON(expectation.unschedulable)
        node.spec["taints"] = [
            ["key": "mine", "effect": "NoSchedule"],
            ["key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"],
        ]
        let taints = NodeHealth.taints(of: node, now: .now).map {
            "\($0["key"].string?.split(separator: "/").last ?? ""):\($0["effect"].string ?? "")"
        }
        #expect(taints == ["mine:NoSchedule"] + expectation.wanted)
    }

    @Test func podOfAVanishedNodeGoes() async throws {
        try await withControllers { client in
            try await client.create(.nodes, Object(.nodes, name: "node-1"))
            var pod = Object(.pods, namespace: "default", name: "p")
            pod.spec["nodeName"] = "node-1"
            try await client.create(.pods, pod)
            try await client.delete(.nodes, namespace: nil, name: "node-1", options: DeleteOptions())
            try await eventually("gone") { client.object(.pods, "p") == nil }
        }
    }
}
