import APIClient
import InMemoryClient
import KubernetesModel
import TestSupport
import Testing

@testable import Controllers

@Suite struct DisruptionTests {
    private static let now = Timestamp(seconds: 1_700_000_000)

    private static func budget(_ spec: JSON, disrupted: [String: Double] = [:]) -> Object {
        var budget = Object(.podDisruptionBudgets, namespace: "default", name: "b")
        budget.metadata["generation"] = 3
        budget.spec = spec
        budget.spec["selector"] = ["matchLabels": ["app": "web"]]
        budget.status = [:]
        for (name, age) in disrupted {
            budget.status["disruptedPods"][name] = .string(now.advanced(by: -age).description)
        }
        return budget
    }

    /// Pods of one owner: so many are ready, the others are not.
    private static func pods(ready: Int, of count: Int, owned: Bool = true) -> [Object] {
        (0..<count).map { number in
            var pod = Object(.pods, namespace: "default", name: "p\(number)")
            pod.metadata["labels"] = ["app": "web"]
            if owned {
                pod.metadata["ownerReferences"] = [
                    ["kind": "ReplicaSet", "name": "web", "uid": "w", "controller": true]
                ]
            }
            pod.status["conditions"] = [["type": "Ready", "status": number < ready ? "True" : "False"]]
            return pod
        }
    }

    struct Case: Sendable {
        let spec: JSON
        var ready = 3
        var pods = 3
        var scale: Int? = 3
        var owned = true
        /// Expected, healthy, desired and allowed.
        let counts: [Int]
    }

    @Test(arguments: [
        Case(spec: ["minAvailable": 1], counts: [3, 3, 1, 2]),
        Case(spec: ["minAvailable": 1], ready: 1, counts: [3, 1, 1, 0]),
        Case(spec: ["minAvailable": 5], counts: [3, 3, 5, 0]),
        Case(spec: ["minAvailable": "50%"], counts: [3, 3, 2, 1]),
        Case(spec: ["minAvailable": "100%"], counts: [3, 3, 3, 0]),
        Case(spec: ["maxUnavailable": 1], counts: [3, 3, 2, 1]),
        Case(spec: ["maxUnavailable": 1], ready: 2, counts: [3, 2, 2, 0]),
        // A rollout has more pods than its owner asks for.
        Case(spec: ["maxUnavailable": 0], ready: 4, pods: 4, counts: [3, 4, 3, 1]),
        Case(spec: ["maxUnavailable": "30%"], counts: [3, 3, 2, 1]),
        Case(spec: ["maxUnavailable": 9], counts: [3, 3, 0, 3]),
        // Without an owner only a number counts.
        Case(spec: ["minAvailable": 1], scale: nil, owned: false, counts: [3, 3, 1, 2]),
        Case(spec: ["maxUnavailable": 1], scale: nil, owned: false, counts: [0, 3, 0, 0]),
        Case(spec: ["minAvailable": 0], ready: 0, pods: 0, counts: [0, 0, 0, 0]),
        Case(spec: [:], counts: [0, 3, 0, 0]),
    ])
    func counts(_ one: Case) {
        let plan = DisruptionPlan(
            budget: Self.budget(one.spec), pods: Self.pods(ready: one.ready, of: one.pods, owned: one.owned),
            now: Self.now
        ) { _ in one.scale.map { DisruptionPlan.Scale(uid: "w", replicas: $0) } }
        let fields = ["expectedPods", "currentHealthy", "desiredHealthy", "disruptionsAllowed"]
        #expect(fields.map { plan.status[$0].int } == one.counts)
        #expect(plan.status["observedGeneration"] == 3 && plan.recheck == nil)
        let condition = plan.status.conditions["DisruptionAllowed"]
        #expect(condition?.isTrue == (one.counts[3] > 0))
        #expect(condition?.reason == (one.counts[3] > 0 ? "SufficientPods" : "InsufficientPods"))
        #expect(condition?.json["message"] == "", "clients hold it to be required")
    }

    /// What is not known allows nothing.
    @Test func anOwnerWithoutReplicasAllowsNothing() {
        var budget = Self.budget(["maxUnavailable": 1])
        budget.status["disruptionsAllowed"] = 5
        let plan = DisruptionPlan(budget: budget, pods: Self.pods(ready: 3, of: 3), now: Self.now) { _ in nil }
        #expect(plan.status["disruptionsAllowed"] == 0)
        let condition = plan.status.conditions["DisruptionAllowed"]
        #expect(condition?.reason == "SyncFailed" && condition?.message.contains("\"p0\"") == true)
    }

    /// An evicted pod counts as gone until it is, or until that takes too long.
    @Test func evictedPodsCountAsGone() {
        let budget = Self.budget(["minAvailable": 1], disrupted: ["p0": 20, "p1": 200, "absent": 1])
        let plan = DisruptionPlan(budget: budget, pods: Self.pods(ready: 3, of: 3), now: Self.now) { _ in nil }
        #expect(plan.status["currentHealthy"] == 2 && plan.status["disruptionsAllowed"] == 1)
        #expect(plan.status["disruptedPods"].object?.keys.sorted() == ["p0"])
        #expect(plan.recheck == 100)
    }

    @Test func followsPodsAndTheirOwners() async throws {
        try await withControllers { client in
            func allowed() -> Int? { client.object(.podDisruptionBudgets, "b")?.status["disruptionsAllowed"].int }
            try await client.create(.podDisruptionBudgets, Self.budget(["maxUnavailable": 1]))
            try await client.create(.deployments, deployment(replicas: 3))
            try await eventually("one pod may go") {
                try await client.makePodsReady()
                return allowed() == 1
            }
            let status = client.object(.podDisruptionBudgets, "b")?.status
            #expect(status?["expectedPods"] == 3 && status?["desiredHealthy"] == 2)
            // The Deployment's number counts, not that of its ReplicaSet.
            try await client.change(.deployments, "web") { $0.replicas = 5 }
            try await eventually("more pods are to be there") {
                client.object(.podDisruptionBudgets, "b")?.status["desiredHealthy"] == 4
            }
            try await eventually("one pod may go again") {
                try await client.makePodsReady()
                return allowed() == 1
            }
        }
    }
}
