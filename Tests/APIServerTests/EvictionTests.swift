import APIClient
import KubernetesModel
import Testing

@testable import APIServer

/// Evictions, and the disruption budget that pays for them.
@Suite struct EvictionTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    /// A ready pod on a node, and a budget that allows so many disruptions.
    private static func prepare(_ client: any Client, allowed: Int, budget: JSON = [:]) async throws {
        for name in ["p", "q"] {
            var pod = Object(.pods, namespace: "default", name: name)
            pod.metadata["labels"] = ["app": "web"]
            pod.spec = ["containers": [["name": "c", "image": "i"]], "nodeName": "node-1"]
            var running = try await client.create(.pods, pod)
            running.status["phase"] = "Running"
            running.status["conditions"] = [["type": "Ready", "status": "True"]]
            try await client.update(.pods, running, subresource: "status")
        }
        var object = Object(.podDisruptionBudgets, namespace: "default", name: "b")
        object.spec = budget
        object.spec["selector"] = ["matchLabels": ["app": "web"]]
        var created = try await client.create(.podDisruptionBudgets, object)
        created.status["disruptionsAllowed"] = JSON(allowed)
        try await client.update(.podDisruptionBudgets, created, subresource: "status")
    }

    private static func eviction(_ options: JSON = .null, of name: String = "p") -> JSON {
        var eviction: JSON = ["apiVersion": "policy/v1", "kind": "Eviction", "metadata": ["name": .string(name)]]
        eviction["deleteOptions"] = options
        return eviction
    }

    private static func state(_ client: any Client) async throws -> (isEnding: Bool, allowed: Int?) {
        let pod = try await client.get(.pods, namespace: "default", name: "p")
        let budget = try await client.get(.podDisruptionBudgets, namespace: "default", name: "b")
        return (pod.isBeingDeleted, budget.status["disruptionsAllowed"].int)
    }

    @Test func anEvictionTakesFromTheBudgetUntilThereIsNone() async throws {
        try await TestServer.run { api in
            try await Self.prepare(api.client, allowed: 1)
            #expect(try await api.send(.post, "\(Self.pods)/p/eviction", Self.eviction()).code == 201)
            #expect(try await Self.state(api.client) == (true, 0))
            let refused = try await api.refusal(.post, "\(Self.pods)/q/eviction", Self.eviction(of: "q"))
            #expect(refused.code == 429)
            #expect(refused.causes.map(\.reason) == ["DisruptionBudget"])
            // A pod that is on its way out costs nothing more.
            #expect(try await api.send(.post, "\(Self.pods)/p/eviction", Self.eviction()).code == 201)
        }
    }

    /// What `kubectl drain --dry-run=server` sends, and the same in the query.
    @Test(
        arguments: [(["dryRun": ["All"]], ""), (.null, "?dryRun=All"), (["dryRun": ["All"]], "?dryRun=All")]
            as [(JSON, String)])
    func aDryRunEvictsNothing(options: JSON, query: String) async throws {
        try await TestServer.run { api in
            try await Self.prepare(api.client, allowed: 1)
            #expect(try await api.send(.post, "\(Self.pods)/p/eviction\(query)", Self.eviction(options)).code == 201)
            #expect(try await Self.state(api.client) == (false, 1))
        }
    }

    /// A dry run tells what the real one would meet.
    @Test func aDryRunIsRefusedAsTheRealOne() async throws {
        try await TestServer.run { api in
            try await Self.prepare(api.client, allowed: 0)
            let eviction = Self.eviction(["dryRun": ["All"]])
            #expect(try await api.refusal(.post, "\(Self.pods)/p/eviction", eviction).code == 429)
        }
    }

    @Test(
        arguments: [
            (["propagationPolicy": "Foo"], 422), (["preconditions": ["uid": "other"]], 409),
            (["preconditions": ["resourceVersion": "1"]], 409), (["gracePeriodSeconds": "0"], 400),
            (["dryRun": ["all"]], 422),
        ] as [(JSON, Int)])
    func aRefusedEvictionCostsNothing(options: JSON, code: Int) async throws {
        try await TestServer.run { api in
            try await Self.prepare(api.client, allowed: 1)
            #expect(try await api.refusal(.post, "\(Self.pods)/p/eviction", Self.eviction(options)).code == code)
            let other = try await api.refusal(.post, "\(Self.pods)/p/eviction", Self.eviction(of: "q"))
            #expect(other.message == "name in URL does not match name in Eviction object")
            #expect(try await Self.state(api.client) == (false, 1))
        }
    }

    @Test func aPodThatIsNotReadyGoesWhereThePolicyLetsIt() async throws {
        try await TestServer.run { api in
            try await Self.prepare(api.client, allowed: 0, budget: ["unhealthyPodEvictionPolicy": "AlwaysAllow"])
            #expect(try await api.refusal(.post, "\(Self.pods)/p/eviction", Self.eviction()).code == 429)
            var pod = try await api.client.get(.pods, namespace: "default", name: "p")
            pod.status["conditions"] = [["type": "Ready", "status": "False"]]
            try await api.client.update(.pods, pod, subresource: "status")
            #expect(try await api.send(.post, "\(Self.pods)/p/eviction", Self.eviction()).code == 201)
            #expect(try await Self.state(api.client) == (true, 0))
        }
    }

    /// The pod is read, and its status written before it is deleted. Whoever set no precondition hears of none.
    @Test(arguments: [(1, false, nil), (1000, false, 429), (1, true, 409)] as [(Int, Bool, Int?)])
    func aPodThatChangesMeanwhileIsLookedAtAgain(changes: Int, namesVersion: Bool, code: Int?) async throws {
        try await TestServer.run { api in
            try await Self.prepare(api.client, allowed: 0, budget: ["unhealthyPodEvictionPolicy": "AlwaysAllow"])
            var pod = try await api.client.get(.pods, namespace: "default", name: "p")
            pod.status["conditions"] = [["type": "Ready", "status": "False"]]
            try await api.client.update(.pods, pod, subresource: "status")
            pod = try await api.client.get(.pods, namespace: "default", name: "p")

            let racing = RacingStore(store: api.server.pipeline.objects.store, changes: changes)
            let objects = Objects(
                store: racing, catalogue: .builtIn, allocators: Allocators(services: ServiceAllocation(services: [])),
                admission: AdmissionChain([]))
            let pods = try #require(objects.catalogue.kind(.pods))
            var options: JSON = .null
            if namesVersion { options = ["preconditions": ["resourceVersion": .string(pod.resourceVersion)]] }
            let eviction = Object(Self.eviction(options))
            let request = ResourceRequest(pods, namespace: "default", name: "p")
            let context = RequestContext(user: User(name: "kubernetes-admin", groups: ["system:masters"]))
            var refusal: Status?
            do throws(Status) {
                _ = try await EvictionSubresource(objects: objects).create(
                    eviction, SubresourceRequest(resource: request, name: "p", context: context))
            } catch {
                refusal = error
            }
            #expect(refusal?.code == code)
            if code == 429 {
                #expect(
                    refusal?.causes.map(\.message) == [
                        "The disruption budget b is still being processed by the server."
                    ]
                )
            }
            #expect(try await Self.state(api.client).isEnding == (code == nil))
        }
    }
}
