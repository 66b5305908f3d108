import Testing

@testable import KubernetesModel

@Suite struct ViewTests {
    @Test(
        arguments: [
            ([["operator": "Exists"]], true), ([["key": "k", "operator": "Exists"]], true),
            ([["key": "k", "operator": "Exists", "effect": "NoExecute"]], false),
            ([["key": "k", "value": "v", "effect": "NoSchedule"]], true), ([["key": "k", "value": "w"]], false),
            ([["key": "other", "operator": "Exists"]], false), ([["value": "v"]], false), ([], false),
            ([["key": "other", "operator": "Exists"], ["key": "k", "value": "v"]], true),
        ] as [(JSON, Bool)])
    func tolerates(_ tolerations: JSON, _ wanted: Bool) {
        let pod = Pod(Object(["spec": ["tolerations": tolerations]]))
        #expect(pod.tolerates(Taint(key: "k", value: "v", effect: "NoSchedule")) == wanted)
    }

    @Test func aTaintIsWrittenAsItWasRead() {
        for json: JSON in [["key": "k", "effect": "NoSchedule"], ["key": "k", "value": "v", "effect": "NoExecute"]] {
            #expect(Taint(json).json == json)
        }
    }

    @Test func aNodeHasAddressesAndResources() {
        let node = Node(
            Object([
                "spec": [
                    "unschedulable": true, "podCIDR": "10.244.1.0/24",
                    "taints": [["key": "k", "effect": "NoSchedule"]],
                ],
                "status": [
                    "addresses": [
                        ["type": "Hostname", "address": "h"], ["type": "InternalIP", "address": "172.30.0.2"],
                    ],
                    "capacity": ["cpu": "4", "memory": "nonsense"], "allocatable": ["cpu": "3500m"],
                    "conditions": [["type": "Ready", "status": "True"]],
                ],
            ]))
        #expect(node.isReady && node.isUnschedulable && node.podCIDR == "10.244.1.0/24")
        #expect(node.internalIP == "172.30.0.2" && node.address("ExternalIP") == nil)
        #expect(node.capacity == ["cpu": Quantity(4)] && node.allocatable == ["cpu": Quantity(milli: 3500)])
        #expect(node.taints == [Taint(key: "k", effect: "NoSchedule")])
        #expect(!Node(Object([:])).isReady && !Node(Object([:])).isUnschedulable)
    }

    @Test func aServiceHasDefaults() {
        let service = Service(Object(["spec": ["ports": [["port": 80]], "clusterIP": "None"]]))
        #expect(service.type == "ClusterIP" && service.isHeadless && service.clusterIP == nil)
        #expect(service.selector == nil && service.affinityTimeout == 10_800 && !service.hasClientIPAffinity)
        let port = service.ports[0]
        #expect(port.transport == "TCP" && port.targetPort == .int(80) && port.nodePort == nil && port.name.isEmpty)
    }

    @Test func aServiceHasItsFields() {
        let service = Service(
            Object([
                "spec": [
                    "type": "LoadBalancer", "clusterIP": "10.96.0.5", "selector": ["a": "b"],
                    "ports": [
                        [
                            "name": "dns", "protocol": "UDP", "port": 53, "targetPort": "dns", "nodePort": 30_053,
                            "appProtocol": "x",
                        ],
                        ["port": 1, "nodePort": 0],
                    ],
                    "sessionAffinity": "ClientIP", "sessionAffinityConfig": ["clientIP": ["timeoutSeconds": 5]],
                    "internalTrafficPolicy": "Local", "externalTrafficPolicy": "Local", "externalIPs": ["1.2.3.4"],
                    "publishNotReadyAddresses": true, "externalName": "e",
                ],
                "status": ["loadBalancer": ["ingress": [["ip": "127.16.0.1"], ["hostname": "h"]]]],
            ]))
        #expect(service.clusterIP == "10.96.0.5" && !service.isHeadless)
        #expect(service.selector?.description == "a=b")
        #expect(service.ports.map(\.nodePort) == [30_053, nil])
        #expect(service.ports[0].targetPort == .string("dns") && service.ports[0].appProtocol == "x")
        #expect(service.hasClientIPAffinity && service.affinityTimeout == 5 && service.publishesNotReadyAddresses)
        #expect(service.isInternalTrafficLocal && service.isExternalTrafficLocal && service.externalIPs == ["1.2.3.4"])
        #expect(service.ingressAddresses == ["127.16.0.1"] && service.externalName == "e")
    }

    @Test(
        arguments: [
            (.null, true, true, false), (["ready": false], false, false, false),
            (["ready": false, "serving": true, "terminating": true], false, true, true),
            (["ready": true], true, true, false),
        ] as [(JSON, Bool, Bool, Bool)])
    func anEndpointHasConditions(_ conditions: JSON, _ ready: Bool, _ serving: Bool, _ terminating: Bool) {
        let endpoint = EndpointSlice.Endpoint(["addresses": ["10.244.1.2"], "conditions": conditions])
        #expect(endpoint.isReady == ready && endpoint.isServing == serving && endpoint.isTerminating == terminating)
        #expect(endpoint.addresses == ["10.244.1.2"])
    }

    @Test func aWorkloadHasAReplica() {
        #expect(Deployment(Object([:])).replicas == 1)
        let set = ReplicaSet(
            Object([
                "spec": ["replicas": 0, "selector": ["matchLabels": ["a": "b"]], "template": ["spec": [:]]],
                "status": ["replicas": 4, "readyReplicas": 3, "availableReplicas": 2, "updatedReplicas": 1],
            ]))
        #expect(set.replicas == 0 && set.selector.description == "a=b" && set.template == ["spec": [:]])
        #expect([set.currentReplicas, set.readyReplicas, set.availableReplicas, set.updatedReplicas] == [4, 3, 2, 1])
        #expect(StatefulSet(Object(["spec": ["replicas": 2]])).replicas == 2)
    }

    @Test(arguments: [
        ("Pending", false, true), ("Running", false, true), ("Succeeded", true, false), ("Failed", true, false),
        ("?", false, true),
    ]) func aPodIsActiveUntilItEnds(_ phase: String, _ terminal: Bool, _ active: Bool) {
        var pod = Pod(Object(["status": ["phase": .string(phase)]]))
        #expect(pod.isTerminal == terminal && pod.isActive == active)
        pod.object.metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        #expect(!pod.isActive)
    }

    @Test(arguments: [(0, true, 0, true), (0, false, 100, false), (10, true, 9, false), (10, true, 10, true)])
    func aPodIsAvailableAfterAWhile(_ minimum: Int, _ ready: Bool, _ elapsed: Int, _ available: Bool) {
        var object = Object([:])
        object.setCondition(Condition("Ready", ready), now: Timestamp(seconds: 1000))
        let now = Timestamp(seconds: 1000 + elapsed)
        #expect(Pod(object).isAvailable(minReadySeconds: minimum, now: now) == available)
    }

    /// The greater of the running containers' sum and of each step of the initialisation; sidecars count in all that
    /// come after them.
    @Test func aPodRequestsWhatItNeedsAtMost() {
        func container(_ cpu: String, sidecar: Bool = false) -> JSON {
            var json: JSON = ["resources": ["requests": ["cpu": .string(cpu)]]]
            if sidecar { json["restartPolicy"] = "Always" }
            return json
        }
        func cpu(_ initial: [JSON], _ main: [JSON], _ more: JSON = [:]) -> String? {
            var spec = more
            spec["initContainers"] = .array(initial)
            spec["containers"] = .array(main)
            return Pod(Object(["spec": spec])).requests["cpu"]?.description
        }
        #expect(cpu([], [container("1"), container("500m")]) == "1500m")
        #expect(cpu([container("2")], [container("1")]) == "2")
        #expect(cpu([container("1", sidecar: true)], [container("1")]) == "2")
        #expect(cpu([container("1", sidecar: true), container("3")], [container("1")]) == "4")
        #expect(cpu([container("3"), container("1", sidecar: true)], [container("1")]) == "3")
        #expect(cpu([], [container("1")], ["overhead": ["cpu": "250m"]]) == "1250m")
        #expect(cpu([container("9")], [container("1")], ["resources": ["requests": ["cpu": "2"]]]) == "2")
        #expect(cpu([], [[:]]) == nil)
    }
}
