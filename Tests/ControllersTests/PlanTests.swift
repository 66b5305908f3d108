import KubernetesModel
import Testing

@testable import Controllers

private let now = Timestamp(seconds: 1_800_000_000)

private func replicaSet(_ name: String, age: Double, replicas: Int, available: Int, max: Int? = nil) -> Object {
    var set = Object(.replicaSets, namespace: "default", name: name)
    set.metadata["uid"] = .string(name)
    set.metadata["creationTimestamp"] = .string(now.advanced(by: -age).description)
    set.replicas = replicas
    set.status = ["replicas": JSON(replicas), "availableReplicas": JSON(available)]
    if let max { set.setAnnotation("deployment.kubernetes.io/max-replicas", String(max)) }
    return set
}

private func rolling(_ replicas: Int, surge: JSON, unavailable: JSON) -> Object {
    deployment(
        replicas: replicas,
        strategy: ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": surge, "maxUnavailable": unavailable]])
}

@Suite struct RollingUpdateTests {
    @Test(arguments: [
        (4, JSON("25%"), JSON("25%"), 1, 1), (3, "25%", "25%", 1, 0), (10, "30%", 2, 3, 2), (5, 0, 0, 0, 1),
        (5, "0%", "0%", 0, 1), (2, 0, 5, 0, 2),
    ])
    func limits(_ replicas: Int, _ surge: JSON, _ unavailable: JSON, _ maxSurge: Int, _ maxUnavailable: Int) {
        let deployment = rolling(replicas, surge: surge, unavailable: unavailable)
        #expect(deployment.maxSurge == maxSurge)
        #expect(deployment.maxUnavailable == maxUnavailable)
    }

    struct Step: Sendable {
        let why: String
        let deployment: Object
        let new: (size: Int, available: Int)
        let old: (size: Int, available: Int)
        let wantedNew: Int
        let wantedOld: Int
    }

    @Test(arguments: [
        Step(
            why: "the surge is all that may be added", deployment: rolling(10, surge: 2, unavailable: 0),
            new: (0, 0), old: (10, 10), wantedNew: 2, wantedOld: 10),
        Step(
            why: "what is not available yet does not let old pods go",
            deployment: rolling(10, surge: 2, unavailable: 0), new: (2, 0), old: (10, 10), wantedNew: 2, wantedOld: 10),
        Step(
            why: "each new available pod lets an old one go", deployment: rolling(10, surge: 2, unavailable: 0),
            new: (2, 2), old: (10, 10), wantedNew: 2, wantedOld: 8),
        Step(
            why: "unavailable old pods go first and cost nothing",
            deployment: rolling(10, surge: 0, unavailable: 2), new: (0, 0), old: (10, 7), wantedNew: 0, wantedOld: 8),
        Step(
            why: "maxUnavailable lets old pods go before new ones come",
            deployment: rolling(10, surge: 0, unavailable: 2), new: (0, 0), old: (10, 10), wantedNew: 0, wantedOld: 8),
        Step(
            why: "at the end the rest goes", deployment: rolling(3, surge: 1, unavailable: 0), new: (3, 3), old: (1, 1),
            wantedNew: 3, wantedOld: 0),
    ])
    func steps(_ step: Step) {
        let new = replicaSet("new", age: 10, replicas: step.new.size, available: step.new.available)
        let old = replicaSet("old", age: 100, replicas: step.old.size, available: step.old.available)
        #expect(RollingUpdate.newSize(of: new, deployment: step.deployment, all: [old, new]) == step.wantedNew)
        let sizes = RollingUpdate.oldSizes(deployment: step.deployment, current: new, old: [old])
        #expect((sizes.first?.size ?? step.old.size) == step.wantedOld, "\(step.why)")
    }

    @Test(arguments: [
        // Sizes before, Deployment's replicas, maxSurge, sizes after, in the order of age.
        ([10, 0], 12, 0, [12, 0]),
        ([5, 5], 20, 0, [10, 10]),
        ([8, 2], 5, 0, [4, 1]),
        ([10, 5], 0, 0, [0, 0]),
        ([8, 5], 15, 3, [11, 7]),
    ])
    func proportionalScaling(_ before: [Int], _ replicas: Int, _ surge: Int, _ after: [Int]) {
        let total = before.reduce(0, +)
        let sets = before.enumerated().map { index, size in
            replicaSet("set\(index)", age: 100 - Double(index), replicas: size, available: size, max: total)
        }
        let deployment = rolling(replicas, surge: JSON(surge), unavailable: 1)
        let sizes = ProportionalScaling.sizes(of: sets.filter { $0.replicas > 0 }, deployment: deployment)
        let result = sets.map { set in sizes.first { $0.replicaSet.uid == set.uid }?.size ?? set.replicas }
        #expect(result == after)
    }

    @Test func hashIsStableAndIgnoresItsOwnLabel() {
        let template = deployment(replicas: 1).spec["template"]
        var labelled = template
        labelled["metadata"]["labels"]["pod-template-hash"] = "x"
        labelled["metadata"]["creationTimestamp"] = .null
        #expect(PodTemplate.hash(template, collisions: nil) == PodTemplate.hash(labelled, collisions: nil))
        #expect(PodTemplate.areEqual(template, labelled))
        #expect(PodTemplate.hash(template, collisions: 1) != PodTemplate.hash(template, collisions: nil))
    }

    @Test func missedDeadlineIsSaid() {
        var object = rolling(2, surge: 1, unavailable: 0)
        object.spec["progressDeadlineSeconds"] = 60
        object.status = DeploymentStatus.counts(of: object, current: nil, all: [])
        let since = now.advanced(by: -61).description
        object.status["conditions"] = [
            [
                "type": "Progressing", "status": "True", "reason": "NewReplicaSetCreated",
                "lastUpdateTime": .string(since), "lastTransitionTime": .string(since),
            ]
        ]
        var status = object.status
        let set = replicaSet("new", age: 61, replicas: 2, available: 0)
        status["updatedReplicas"] = .null
        let wait = DeploymentStatus.noteProgress(&status, of: object, current: set, all: [set], now: now)
        #expect(status.conditions["Progressing"]?.reason == "ProgressDeadlineExceeded")
        #expect(wait == nil)
    }
}

@Suite struct ReplicaPlanTests {
    private static func pod(
        _ name: String, node: String = "a", phase: String = "Running", ready: Bool = true, age: Double = 100,
        restarts: Int = 0, cost: String? = nil
    ) -> Object {
        var pod = Object(.pods, namespace: "default", name: name)
        pod.metadata["uid"] = .string(name)
        pod.metadata["labels"] = ["app": "web"]
        pod.metadata["creationTimestamp"] = .string(now.advanced(by: -age).description)
        if let cost { pod.setAnnotation(PodRanking.deletionCost, cost) }
        pod.spec["nodeName"] = .string(node)
        pod.status = [
            "phase": .string(phase), "containerStatuses": [["restartCount": JSON(restarts)]],
            "conditions": [
                [
                    "type": "Ready", "status": ready ? "True" : "False",
                    "lastTransitionTime": .string(now.advanced(by: -age).description),
                ]
            ],
        ]
        return pod
    }

    struct Ranking: Sendable {
        let why: String
        let first: Object
        let second: Object
    }

    @Test(arguments: [
        Ranking(why: "without a node", first: pod("z", node: ""), second: pod("b")),
        Ranking(why: "pending", first: pod("z", phase: "Pending"), second: pod("b")),
        Ranking(why: "not ready", first: pod("z", ready: false), second: pod("b")),
        Ranking(why: "cheaper to delete", first: pod("z", cost: "-1"), second: pod("b")),
        Ranking(why: "ready for a shorter time", first: pod("z", age: 10), second: pod("b", age: 100)),
        Ranking(why: "more restarts", first: pod("z", restarts: 3), second: pod("b")),
        Ranking(why: "of about the same age, by UID", first: pod("b", age: 100), second: pod("z", age: 99)),
    ])
    func ranking(_ ranking: Ranking) {
        let pods = [ranking.second, ranking.first]
        let chosen = PodRanking.first(1, of: pods, related: [], now: now)
        #expect(chosen.map(\.name) == [ranking.first.name], "\(ranking.why)")
    }

    @Test func crowdedNodesShrinkFirst() {
        let pods = [Self.pod("b", node: "a"), Self.pod("x", node: "b"), Self.pod("y", node: "b")]
        #expect(PodRanking.first(1, of: pods, related: pods, now: now).map(\.nodeName) == ["b"])
    }

    /// `kubectl debug --copy-to`, which keeps the labels on request, must not cost the pod that it is about.
    @Test func aNewcomerGoesBeforeAReadyPod() throws {
        var owner = deployment(replicas: 1)
        owner.metadata["uid"] = "owner"
        let ready = Self.pod("ready")
        let newcomer = Self.pod("newcomer", node: "", phase: "Pending", ready: false, age: 1)
        let claim = Claim(
            owner: owner, selector: try #require(LabelSelector(podsOf: owner)), managed: [ready], unmanaged: [newcomer])
        let plan = ReplicaPlan(owner: owner, claim: claim, related: [ready], now: now)
        #expect(plan.delete.map(\.name) == ["newcomer"] && plan.create == 0)
    }

    @Test func roundsDouble() {
        #expect(ReplicaPlan.rounds(50) == [1, 2, 4, 8, 16, 19])
        #expect(ReplicaPlan.rounds(0).isEmpty)
    }
}

@Suite struct EndpointPlanTests {
    private static func pod(_ number: Int, ready: Bool = true, deleted: Bool = false, port: Int = 8080) -> Object {
        var pod = Object(.pods, namespace: "default", name: "p\(number)")
        pod.metadata["uid"] = .string("p\(number)")
        if deleted { pod.metadata["deletionTimestamp"] = .string(now.description) }
        pod.spec["nodeName"] = "node-1"
        pod.spec["containers"] = [["name": "c", "ports": [["name": "http", "containerPort": JSON(port)]]]]
        pod.status = [
            "phase": "Running", "podIP": .string("10.244.\(number / 250).\(number % 250 + 2)"),
            "conditions": [["type": "Ready", "status": ready ? "True" : "False"]],
        ]
        return pod
    }

    private static func plan(_ pods: [Object], _ slices: [Object] = [], notReady: Bool = false) -> EndpointSlicePlan {
        var service = ServiceTests.service("web")
        service.spec["publishNotReadyAddresses"] = JSON(notReady)
        return EndpointSlicePlan(service: service, pods: pods, slices: slices, zone: { _ in "zone-a" })
    }

    @Test(arguments: [
        (true, false, false, [true, true, false]), (false, false, false, [false, false, false]),
        (true, true, false, [false, true, true]), (false, false, true, [true, false, false]),
    ])
    func conditions(_ ready: Bool, _ deleted: Bool, _ publishes: Bool, _ wanted: [Bool]) {
        let plan = Self.plan([Self.pod(1, ready: ready, deleted: deleted)], notReady: publishes)
        let conditions = plan.create[0]["endpoints"][0]["conditions"]
        #expect(["ready", "serving", "terminating"].map { conditions[$0].bool } == wanted)
        #expect(plan.create[0]["endpoints"][0]["zone"].string == "zone-a")
    }

    @Test func fillsSlicesAndKeepsThem() {
        let plan = Self.plan((0..<250).map { Self.pod($0) })
        #expect(plan.create.map { $0["endpoints"].items.count } == [100, 100, 50])
        let slices = plan.create.enumerated().map { index, slice in
            var slice = slice
            slice.metadata["name"] = .string("web-\(index)")
            slice.metadata["uid"] = .string("\(index)")
            return slice
        }
        let same = Self.plan((0..<250).map { Self.pod($0) }, slices)
        #expect(same.create.isEmpty && same.update.isEmpty && same.delete.isEmpty)
        let fewer = Self.plan((0..<250).filter { $0 != 7 }.map { Self.pod($0) } + [Self.pod(300)], slices)
        #expect(fewer.create.isEmpty && fewer.delete.isEmpty)
        let none = Self.plan([], slices)
        #expect(none.create.count + slices.count - none.delete.count == 1, "one empty slice stays")
    }

    @Test func podsWithOtherPortsHaveOtherSlices() {
        let plan = Self.plan([Self.pod(1), Self.pod(2, port: 9090)])
        #expect(Set(plan.create.compactMap { $0["ports"][0]["port"].int }) == [8080, 9090])
    }

    @Test func endpointsSeparateReadyFromNotReady() {
        let endpoints = EndpointsPlan.endpoints(
            service: ServiceTests.service("web"),
            pods: [Self.pod(1), Self.pod(2, ready: false), Self.pod(3, deleted: true)], present: nil)
        #expect(endpoints["subsets"][0]["addresses"].items.map { $0["targetRef"]["name"].string } == ["p1"])
        #expect(endpoints["subsets"][0]["notReadyAddresses"].items.map { $0["targetRef"]["name"].string } == ["p2"])
    }

    @Test func endpointsAreInTheOrderOfTheirAddresses() {
        let endpoints = EndpointsPlan.endpoints(
            service: ServiceTests.service("web"), pods: [Self.pod(9), Self.pod(10), Self.pod(1)], present: nil)
        #expect(
            endpoints["subsets"][0]["addresses"].items.map { $0["ip"].string }
                == ["10.244.0.11", "10.244.0.12", "10.244.0.3"])
    }

    @Test func mirrorsWhatUsersWrite() throws {
        var endpoints = Object(.endpoints, namespace: "default", name: "db")
        endpoints.metadata["uid"] = "e"
        endpoints["subsets"] = [
            [
                "addresses": [["ip": "10.1.2.3", "hostname": "a"], ["ip": "fd00::1"]],
                "notReadyAddresses": [["ip": "10.1.2.4"]], "ports": [["port": 5432]],
            ]
        ]
        let plan = EndpointSlicePlan(mirroring: endpoints, slices: [])
        #expect(Set(plan.create.map { $0["addressType"].string }) == ["IPv4", "IPv6"])
        let slice = try #require(plan.create.first { $0["addressType"] == "IPv4" })
        #expect(slice.controller?.kind == "Endpoints")
        #expect(slice.labels["kubernetes.io/service-name"] == "db")
        #expect(slice["ports"] == [["name": "", "protocol": "TCP", "port": 5432]])
        #expect(
            slice["endpoints"] == [
                ["addresses": ["10.1.2.3"], "conditions": ["ready": true], "hostname": "a"],
                ["addresses": ["10.1.2.4"], "conditions": ["ready": false]],
            ])
        var written = plan.create
        for index in written.indices { written[index].metadata["uid"] = .string("s\(index)") }
        let again = EndpointSlicePlan(mirroring: endpoints, slices: written)
        #expect(again.create.isEmpty && again.update.isEmpty && again.delete.isEmpty)
    }
}
