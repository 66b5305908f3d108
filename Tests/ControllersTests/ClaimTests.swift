import APIClient
import InMemoryClient
import KubernetesModel
import Testing

@testable import Controllers

@Suite struct ClaimTests {
    private static func object(
        _ type: ResourceType, _ name: String, app: String = "web", isBeingDeleted: Bool = false
    ) -> Object {
        var object = Object(type, namespace: "default", name: name)
        object.metadata["uid"] = .string("uid-of-\(name)")
        object.metadata["labels"] = ["app": .string(app)]
        if isBeingDeleted { object.metadata["deletionTimestamp"] = .string(Timestamp.now.description) }
        return object
    }

    struct Case: Sendable {
        let why: String
        var ownerIsBeingDeleted = false
        var managed: [Object] = []
        var unmanaged: [Object] = []
        var kept: [String] = []
        var adopt: [String] = []
        var release: [String] = []
    }

    @Test(arguments: [
        Case(why: "what matches stays", managed: [object(.pods, "a")], kept: ["a"]),
        Case(why: "what matches no longer is released", managed: [object(.pods, "a", app: "other")], release: ["a"]),
        Case(why: "an orphan that matches is adopted", unmanaged: [object(.pods, "a")], adopt: ["a"]),
        Case(why: "another orphan is left alone", unmanaged: [object(.pods, "a", app: "other")]),
        Case(why: "an orphan under deletion is left alone", unmanaged: [object(.pods, "a", isBeingDeleted: true)]),
        Case(
            why: "an owner under deletion neither adopts nor releases", ownerIsBeingDeleted: true,
            managed: [object(.pods, "a"), object(.pods, "b", app: "other")], unmanaged: [object(.pods, "c")],
            kept: ["a"]),
    ])
    func claims(_ example: Case) {
        let owner = Self.object(.replicaSets, "web", isBeingDeleted: example.ownerIsBeingDeleted)
        let claim = Claim(
            owner: owner, selector: LabelSelector(labels: ["app": "web"]), managed: example.managed,
            unmanaged: example.unmanaged)
        #expect(claim.kept.map(\.name) == example.kept, "\(example.why)")
        #expect(claim.adopt.map(\.name) == example.adopt, "\(example.why)")
        #expect(claim.release.map(\.name) == example.release, "\(example.why)")
    }

    @Test func referencesAreWrittenAndWhatIsGoneIsNobodys() async throws {
        let client = InMemoryClient()
        let owner = try await client.create(.replicaSets, Self.object(.replicaSets, "web"))
        let references = ControllerReferences(client: client, owners: .replicaSets, type: .pods)
        let orphan = try await client.create(.pods, Self.object(.pods, "orphan"))
        let gone = Self.object(.pods, "gone")
        let selector = LabelSelector(labels: ["app": "web"])

        let adoption = Claim(owner: owner, selector: selector, managed: [], unmanaged: [orphan, gone])
        let adopted = try await references.carryOut(adoption, for: owner)
        #expect(adopted.map(\.name) == ["orphan"])
        #expect(client.object(.pods, "orphan")?.controller?.uid == owner.uid)

        var changed = try #require(adopted.first)
        changed.metadata["labels"] = ["app": "other"]
        let release = Claim(owner: owner, selector: selector, managed: [changed], unmanaged: [])
        #expect(try await references.carryOut(release, for: owner).isEmpty)
        #expect(client.object(.pods, "orphan")?.ownerReferences.isEmpty == true)
    }

    @Test func anOwnerThatWasReplacedAdoptsNothing() async throws {
        let client = InMemoryClient()
        try await client.create(.replicaSets, Self.object(.replicaSets, "web"))
        var old = Self.object(.replicaSets, "web")
        old.metadata["uid"] = "of one that was deleted"
        let orphan = try await client.create(.pods, Self.object(.pods, "orphan"))
        let references = ControllerReferences(client: client, owners: .replicaSets, type: .pods)
        let claim = Claim(
            owner: old, selector: LabelSelector(labels: ["app": "web"]), managed: [], unmanaged: [orphan])
        #expect(try await references.carryOut(claim, for: old).isEmpty)
        #expect(client.object(.pods, "orphan")?.controller == nil)
    }

    @Test func whatIsGoneOrReplacedIsNotDeleted() async throws {
        let client = InMemoryClient()
        let pod = try await client.create(.pods, Self.object(.pods, "web"))
        #expect(try await !client.deleteIfPresent(.pods, pod.key, uid: "of another"))
        #expect(try await client.getIfPresent(.pods, pod.key)?.uid == pod.uid)
        #expect(try await client.deleteIfPresent(.pods, pod, gracePeriodSeconds: 0))
        #expect(try await !client.deleteIfPresent(.pods, pod))
        #expect(try await client.getIfPresent(.pods, pod.key) == nil)
    }
}
