import APIClient
import InMemoryClient
import KubernetesModel
import Retrying
import TestSupport
import Testing

@testable import Scheduler

func node(
    _ name: String, cpu: String = "4", memory: String = "8Gi", labels: [String: String] = [:], taints: [JSON] = [],
    unschedulable: Bool = false
) -> Object {
    var node = Object(.nodes, name: name)
    node.metadata["labels"] = JSON(labels.merging(["kubernetes.io/hostname": name]) { $1 })
    node.status["allocatable"] = ["cpu": .string(cpu), "memory": .string(memory), "pods": "110"]
    node.spec["taints"] = .array(taints)
    node.spec["unschedulable"] = JSON(unschedulable)
    return node
}

func pod(_ name: String, cpu: String? = nil, labels: [String: String] = [:], _ spec: JSON = [:]) -> Object {
    var pod = Object(.pods, namespace: "default", name: name)
    pod.metadata["uid"] = .string("uid-" + name)
    pod.metadata["labels"] = JSON(labels)
    pod.spec = spec
    var container: JSON = ["name": "c"]
    if let cpu { container["resources"]["requests"]["cpu"] = .string(cpu) }
    if pod.spec["containers"].isNull { pod.spec["containers"] = [container] }
    return pod
}

func volumes(_ claim: JSON) -> JSON { ["volumes": [["name": "v", "persistentVolumeClaim": ["claimName": claim]]]] }

func claim(_ name: String, _ change: (inout Object) -> Void = { _ in }) -> Object {
    var claim = Object(.persistentVolumeClaims, namespace: "default", name: name)
    change(&claim)
    return claim
}

func storageClass(_ name: String, _ mode: String) -> Object {
    var storageClass = Object(.storageClasses, name: name)
    storageClass["volumeBindingMode"] = .string(mode)
    return storageClass
}

func cluster(
    _ nodes: [Object], placed: [(Object, String)] = [], claims: [Object] = [], classes: [Object] = []
) -> Cluster {
    var cluster = Cluster()
    for storageClass in classes { cluster.claims.put(storageClass: storageClass) }
    for claim in claims { cluster.claims.put(claim) }
    for node in nodes { _ = cluster.put(node) }
    for (pod, node) in placed { cluster.place(PodInfo(pod), on: node) }
    return cluster
}

extension Decision {
    /// The node, or the message.
    var text: String {
        switch self {
        case .node(let name): name
        case .none(let why): why.description
        }
    }
}

@Suite struct DecisionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let why: String
        let pod: Object
        let cluster: Cluster
        let wanted: String
        var testDescription: String { why }
    }

    private static let zones = [
        node("a", labels: ["zone": "1"]), node("b", labels: ["zone": "2"]), node("c", labels: ["zone": "2"]),
    ]

    static let cases: [Case] = [
        Case(
            why: "no nodes", pod: pod("p"), cluster: cluster([]), wanted: "no nodes available to schedule pods"),
        Case(
            why: "reasons are counted and sorted", pod: pod("p", cpu: "3"),
            cluster: cluster(
                [node("a"), node("b", taints: [["key": "k", "value": "v", "effect": "NoSchedule"]])],
                placed: [(pod("x", cpu: "2"), "a")]),
            wanted: "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {k: v}. "
                + "preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, "
                + "1 Preemption is not helpful for scheduling."),
        Case(
            why: "pods put on a node by name may ask for more than numbers can count", pod: pod("p", cpu: "1"),
            cluster: cluster(
                [node("a"), node("b")], placed: [(pod("x", cpu: "9E"), "a"), (pod("y", cpu: "9E"), "a")]),
            wanted: "b"),
        Case(
            why: "more than a node has is out of reach", pod: pod("p", cpu: "5"), cluster: cluster([node("a")]),
            wanted: "0/1 nodes are available: 1 Insufficient cpu. "
                + "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."),
        Case(
            why: "a cordoned node takes nothing", pod: pod("p"),
            cluster: cluster([node("a", unschedulable: true)]),
            wanted: "0/1 nodes are available: 1 node(s) were unschedulable. "
                + "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."),
        Case(
            why: "the emptier node is better", pod: pod("p", cpu: "1"),
            cluster: cluster([node("a"), node("b")], placed: [(pod("x", cpu: "2"), "a")]), wanted: "b"),
        Case(
            why: "nodeSelector", pod: pod("p", ["nodeSelector": ["zone": "1"]]), cluster: cluster(zones), wanted: "a"),
        Case(
            why: "required node affinity by name",
            pod: pod(
                "p",
                [
                    "affinity": [
                        "nodeAffinity": [
                            "requiredDuringSchedulingIgnoredDuringExecution": [
                                "nodeSelectorTerms": [
                                    [
                                        "matchFields": [
                                            ["key": "metadata.name", "operator": "In", "values": ["c"]]
                                        ]
                                    ]
                                ]
                            ]
                        ]
                    ]
                ]), cluster: cluster(zones), wanted: "c"),
        Case(
            why: "preferred node affinity",
            pod: pod(
                "p",
                [
                    "affinity": [
                        "nodeAffinity": [
                            "preferredDuringSchedulingIgnoredDuringExecution": [
                                [
                                    "weight": 10,
                                    "preference": [
                                        "matchExpressions": [["key": "zone", "operator": "In", "values": ["1"]]]
                                    ],
                                ]
                            ]
                        ]
                    ]
                ]), cluster: cluster(zones), wanted: "a"),
        Case(
            why: "a taint that is tolerated",
            pod: pod("p", ["tolerations": [["key": "k", "operator": "Exists"]]]),
            cluster: cluster([node("a", taints: [["key": "k", "effect": "NoSchedule"]])]), wanted: "a"),
        Case(
            why: "PreferNoSchedule is avoided", pod: pod("p"),
            cluster: cluster(
                [node("a", taints: [["key": "k", "effect": "PreferNoSchedule"]]), node("b")],
                placed: [(pod("x", cpu: "1"), "b")]), wanted: "b"),
        Case(
            why: "a claim that is not there", pod: pod("p", volumes("data")), cluster: cluster([node("a"), node("b")]),
            wanted: "0/2 nodes are available: persistentvolumeclaim \"data\" not found. "
                + "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."),
        Case(
            why: "a claim that is about to go",
            pod: pod("p", volumes("data")),
            cluster: cluster(
                [node("a")],
                claims: [claim("data") { $0.metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z" }]),
            wanted: "0/1 nodes are available: persistentvolumeclaim \"data\" is being deleted. "
                + "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."),
        Case(
            why: "a claim that has its volume", pod: pod("p", volumes("data")),
            cluster: cluster([node("a")], claims: [claim("data") { $0.spec["volumeName"] = "v" }]), wanted: "a"),
        Case(
            why: "a claim without a class and a volume", pod: pod("p", volumes("data")),
            cluster: cluster([node("a")], claims: [claim("data")]),
            wanted: "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. "
                + "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."),
        Case(
            why: "a claim whose class binds at once", pod: pod("p", volumes("data")),
            cluster: cluster(
                [node("a")], claims: [claim("data") { $0.spec["storageClassName"] = "fast" }],
                classes: [storageClass("fast", "Immediate"), storageClass("late", "WaitForFirstConsumer")]),
            wanted: "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. "
                + "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."),
        Case(
            why: "a claim whose class waits for a pod", pod: pod("p", volumes("data")),
            cluster: cluster(
                [node("a"), node("b", unschedulable: true)],
                claims: [claim("data") { $0.spec["storageClassName"] = "late" }],
                classes: [storageClass("late", "WaitForFirstConsumer")]),
            wanted: "0/2 nodes are available: 1 node(s) didn't find available persistent volumes to bind, "
                + "1 node(s) were unschedulable. "
                + "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."),
        Case(
            why: "a host port is taken once",
            pod: pod("p", ["containers": [["name": "c", "ports": [["containerPort": 80, "hostPort": 80]]]]]),
            cluster: cluster(
                [node("a")],
                placed: [
                    (
                        pod("x", ["containers": [["name": "c", "ports": [["containerPort": 80, "hostPort": 80]]]]]),
                        "a"
                    )
                ]),
            wanted: "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. "
                + "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."),
        Case(
            why: "hard spreading evens out zones",
            pod: pod(
                "p", labels: ["app": "web"],
                [
                    "topologySpreadConstraints": [
                        [
                            "topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule",
                            "labelSelector": ["matchLabels": ["app": "web"]],
                        ]
                    ]
                ]),
            cluster: cluster(zones, placed: [(pod("x", labels: ["app": "web"]), "b")]), wanted: "a"),
        Case(
            why: "anti-affinity of a pod that is there",
            pod: pod("p", labels: ["app": "web"]),
            cluster: cluster(
                [node("a")],
                placed: [
                    (
                        pod(
                            "x",
                            [
                                "affinity": [
                                    "podAntiAffinity": [
                                        "requiredDuringSchedulingIgnoredDuringExecution": [
                                            [
                                                "topologyKey": "kubernetes.io/hostname",
                                                "labelSelector": ["matchLabels": ["app": "web"]],
                                            ]
                                        ]
                                    ]
                                ]
                            ]), "a"
                    )
                ]),
            wanted: "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules. "
                + "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."),
        Case(
            why: "affinity joins the other",
            pod: pod(
                "p",
                [
                    "affinity": [
                        "podAffinity": [
                            "requiredDuringSchedulingIgnoredDuringExecution": [
                                [
                                    "topologyKey": "kubernetes.io/hostname",
                                    "labelSelector": ["matchLabels": ["app": "web"]],
                                ]
                            ]
                        ]
                    ]
                ]), cluster: cluster(zones, placed: [(pod("x", labels: ["app": "web"]), "b")]), wanted: "b"),
    ]

    @Test(arguments: cases)
    func decides(_ expectation: Case) {
        let decision = Decision.make(for: PodInfo(expectation.pod), in: expectation.cluster, turn: 0)
        #expect(decision.text == expectation.wanted)
    }

    @Test func spreadsPodsOfOneOwner() {
        var state = cluster([node("a"), node("b")])
        for number in 0..<10 {
            var pod = pod("p\(number)")
            pod.metadata["ownerReferences"] = [["uid": "set", "controller": true]]
            guard case .node(let node) = Decision.make(for: PodInfo(pod), in: state, turn: number) else {
                Issue.record("no node")
                return
            }
            state.place(PodInfo(pod), on: node)
        }
        #expect(state.nodes["a"]?.pods.count == 5)
        #expect(state.nodes["b"]?.pods.count == 5)
    }
}

@Suite struct SchedulingQueueTests {
    @Test func ordersWaitsAndMoves() throws {
        let start = ContinuousClock.now
        var queue = SchedulingQueue(backoff: Backoff(first: .seconds(1), max: .seconds(10)))
        var high = pod("high")
        high.spec["priority"] = 10
        for object in [pod("first"), pod("second"), high] { queue.put(PodInfo(object)) }
        func next() -> String? { queue.takeFirst()?.pod.key.name }
        let names = (0..<3).map { _ in queue.takeFirst() }
        #expect(names.map { $0?.pod.key.name } == ["high", "first", "second"])

        let first = try #require(names[1])
        queue.rejected(first, by: [.nodeResourcesFit], now: start)
        queue.moveAll(on: .podPlaced, now: start)
        #expect(next() == nil, "an event that does not concern it leaves it")
        queue.moveAll(on: .nodeChanged, now: start)
        #expect(next() == nil, "it waits before it is tried again")
        #expect(queue.nextDue == start + .seconds(1))
        queue.advance(to: start + .seconds(1))
        let taken = queue.takeFirst()
        let again = try #require(taken)
        #expect(again.attempts == 2)
        queue.rejected(again, by: [.nodeResourcesFit], now: start)
        queue.moveAll(on: .podLeft, now: start + .seconds(3))
        #expect(next() == "first", "after its wait an event brings it back at once")
    }
}

@Suite struct SchedulerTests {
    @Test func bindsAndSaysWhyNot() async throws {
        let client = InMemoryClient()
        try await withThrowingTaskGroup(of: Void.self) { group in
            let scheduler = Scheduler(client: client, backoff: Backoff(first: .milliseconds(1), max: .seconds(10)))
            group.addTask { await scheduler.run() }
            defer { group.cancelAll() }
            for number in 0..<200 { try await client.create(.pods, pod("p\(number)", cpu: "10m")) }
            try await eventually("all unschedulable") {
                client.all(.pods).allSatisfy { $0.condition("PodScheduled")?.reason == "Unschedulable" }
            }
            #expect(
                client.object(.pods, "p0")?.condition("PodScheduled")?.message == "no nodes available to schedule pods")
            for name in ["a", "b"] { try await client.create(.nodes, node(name)) }
            try await eventually("all bound") { client.all(.pods).allSatisfy { Pod($0).nodeName != nil } }

            // A claim that has its volume lets the pod that names it go on.
            try await client.create(.pods, pod("claims", volumes("data")))
            try await eventually("its claim is missing") {
                client.object(.pods, "claims")?.condition("PodScheduled")?.message
                    .contains("persistentvolumeclaim \"data\" not found") == true
            }
            var data = try await client.create(.persistentVolumeClaims, claim("data"))
            try await eventually("its claim has no volume") {
                client.object(.pods, "claims")?.condition("PodScheduled")?.message
                    .contains("pod has unbound immediate PersistentVolumeClaims") == true
            }
            data.spec["volumeName"] = "v"
            try await client.update(.persistentVolumeClaims, data)
            try await eventually("bound with its claim") {
                client.object(.pods, "claims").map { Pod($0).nodeName != nil } == true
            }

            // A binding that fails is made good.
            client.fail { verb, _, object in
                verb == "create" && object.kind == "Binding" ? Status.internalError("once") : nil
            }
            try await client.create(.pods, pod("late"))
            try await eventually("refusal") { client.writes["refused create pods"] ?? 0 > 0 }
            client.fail(nil)
            try await eventually("bound at last") { client.object(.pods, "late").flatMap { Pod($0).nodeName } != nil }
        }
    }
}
