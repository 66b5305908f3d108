import Testing

@testable import KubernetesModel

@Suite struct ObjectTests {
    @Test func isMadeOfItsType() {
        #expect(
            Object(.deployments, namespace: "n", name: "a").json == [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "a", "namespace": "n"],
            ])
        let node = Object(.nodes, namespace: "n", name: "a")
        #expect(node.namespace.isEmpty && node.key == ObjectKey(name: "a") && node.apiVersion == "v1")
    }

    @Test(
        arguments: [
            (ResourceType.pods, "n", "a", "log", "/api/v1/namespaces/n/pods/a/log"),
            (.pods, nil, nil, nil, "/api/v1/pods"), (.pods, "", "a", nil, "/api/v1/pods/a"),
            (.deployments, "n", nil, nil, "/apis/apps/v1/namespaces/n/deployments"),
            (.nodes, "n", "a", "status", "/api/v1/nodes/a/status"),
        ] as [(ResourceType, String?, String?, String?, String)])
    func hasAPath(_ type: ResourceType, _ namespace: String?, _ name: String?, _ subresource: String?, _ path: String) {
        #expect(type.path(namespace: namespace, name: name, subresource: subresource) == path)
    }

    @Test func keysAreOrderedByNamespaceThenName() {
        let keys = [ObjectKey(namespace: "b", name: "a"), ObjectKey(namespace: "a", name: "z"), ObjectKey(name: "x")]
        #expect(keys.sorted().map(\.description) == ["x", "a/z", "b/a"])
    }

    @Test func hasOneController() {
        var owner = Object(.replicaSets, namespace: "n", name: "rs")
        owner.metadata["uid"] = "u"
        var pod = Object(.pods, namespace: "n", name: "p")
        #expect(pod.controller == nil)
        pod.metadata["ownerReferences"] = [["uid": "other"], OwnerReference(controller: owner).json]
        #expect(pod.ownerReferences.count == 2)
        #expect(pod.controller?.uid == "u" && pod.controller?.kind == "ReplicaSet")
        #expect(pod.controller?.apiVersion == "apps/v1" && pod.controller?.blocksOwnerDeletion == true)
    }

    /// The time moves with the status alone; fields that other writers keep in a condition stay.
    @Test func conditionsKeepTheirTime() throws {
        let (early, late) = (Timestamp(seconds: 100), Timestamp(seconds: 200))
        var object = Object(["status": ["conditions": [["type": "Other", "status": "True"]]]])
        func set(_ condition: Condition, _ now: Timestamp) -> Bool { object.setCondition(condition, now: now) }
        #expect(set(Condition("Ready", false, reason: "Starting"), early))
        object.status["conditions"][1]["lastProbeTime"] = "x"
        #expect(!set(Condition("Ready", false, reason: "Starting"), late))
        #expect(set(Condition("Ready", false, reason: "Waiting", message: "m"), late))
        #expect(object.condition("Ready")?.lastTransitionTime == early)
        #expect(set(Condition("Ready", true, observedGeneration: 3), late))
        let ready = try #require(object.condition("Ready"))
        #expect(ready.isTrue && ready.lastTransitionTime == late && ready.observedGeneration == 3)
        #expect(ready.reason.isEmpty && ready.message.isEmpty)
        #expect(object.status["conditions"][1]["lastProbeTime"] == "x")
        #expect(object.conditions.map(\.type) == ["Other", "Ready"])
        object.status.conditions.remove("Other")
        object.status.conditions.remove("Ready")
        #expect(object.status["conditions"].isNull && !object.isConditionTrue("Ready"))
    }

    @Test func dates() {
        let object = Object(["metadata": ["creationTimestamp": "2026-01-01T00:00:00Z", "deletionTimestamp": "soon"]])
        #expect(object.creationTimestamp?.description == "2026-01-01T00:00:00Z")
        #expect(object.isBeingDeleted && object.deletionTimestamp == nil)
    }
}
