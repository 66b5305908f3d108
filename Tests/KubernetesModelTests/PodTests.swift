import Testing

@testable import KubernetesModel

@Suite struct PodTests {
    @Test func sumsWhatContainersAskFor() {
        func container(_ cpu: String, sidecar: Bool = false) -> JSON {
            var json: JSON = ["name": "c", "resources": ["requests": ["cpu": .string(cpu)]]]
            if sidecar { json["restartPolicy"] = "Always" }
            return json
        }
        // The sidecar runs beside all that follow: 0.1 + 2 while initializing, 0.1 + 0.5 + 0.5 after.
        let pod = Pod(
            Object([
                "spec": [
                    "initContainers": [container("100m", sidecar: true), container("2")],
                    "containers": [container("500m"), container("500m")], "overhead": ["cpu": "10m"],
                ]
            ]))
        #expect(pod.requests["cpu"] == Quantity("2110m"))
    }

    @Test(
        arguments: [
            (.null, .null, Pod.QoSClass.bestEffort), (["cpu": "1"], .null, .burstable),
            (["cpu": "1", "memory": "1Gi"], ["cpu": "1", "memory": "1Gi"], .guaranteed),
            (.null, ["cpu": "1", "memory": "1Gi"], .guaranteed),
            (["cpu": "1"], ["cpu": "2", "memory": "1Gi"], .burstable),
        ] as [(JSON, JSON, Pod.QoSClass)])
    func classifies(requests: JSON, limits: JSON, wanted: Pod.QoSClass) {
        let pod = Pod(
            Object(["spec": ["containers": [["name": "c", "resources": ["requests": requests, "limits": limits]]]]]))
        #expect(pod.qosClass == wanted)
    }

    @Test func movesTransitionTimesOnlyWithTheStatus() throws {
        let (first, second) = (
            try #require(Timestamp("2026-01-01T00:00:00Z")), try #require(Timestamp("2026-01-01T00:00:09Z"))
        )
        var object = Object([:])
        object.setCondition(Condition("Ready", false, reason: "A"), now: first)
        let isChanged = object.setCondition(Condition("Ready", false, reason: "B"), now: second)
        #expect(isChanged)
        #expect(object.condition("Ready")?.lastTransitionTime == first)
        let isChangedAgain = object.setCondition(Condition("Ready", false, reason: "B"), now: second)
        #expect(!isChangedAgain)
        object.setCondition(Condition("Ready", true), now: second)
        #expect(object.condition("Ready")?.lastTransitionTime == second)
    }

    @Test(
        arguments: [
            (["key": "a", "operator": "Exists"], true), (["operator": "Exists"], true),
            (["key": "a", "value": "x"], true),
            (["key": "a", "value": "y"], false), (["key": "a", "value": "x", "effect": "NoExecute"], false),
        ] as [(JSON, Bool)])
    func toleratesTaints(toleration: JSON, wanted: Bool) {
        #expect(Toleration(toleration).tolerates(Taint(key: "a", value: "x", effect: "NoSchedule")) == wanted)
    }
}
