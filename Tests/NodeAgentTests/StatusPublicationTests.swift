import KubernetesModel
import Testing

@testable import NodeAgent

@Suite struct StatusPublicationTests {
    private func status(_ phase: String, ready: Bool = false, reason: String = "") -> JSON {
        [
            "phase": .string(phase), "reason": .string(reason),
            "conditions": [["type": "Ready", "status": ready ? "True" : "False"]],
        ]
    }

    @Test func whatNobodyWaitsForIsHeldBackAndWrittenTogether() {
        var publication = StatusPublication()
        #expect(publication.offer(status("Pending")) == .hold)
        #expect(publication.offer(status("Pending", reason: "more")) == .nothing)
        #expect(publication.release() == .write(status("Pending", reason: "more")))
        #expect(publication.completed(success: true) == .nothing)
        #expect(publication.isSettled)
        #expect(publication.offer(status("Pending", reason: "more")) == .nothing, "the API has it")
        #expect(publication.release() == .nothing)
    }

    @Test func aPodThatIsReadyInTheMeantimeCostsOneWrite() {
        var publication = StatusPublication()
        #expect(publication.offer(status("Pending")) == .hold)
        #expect(publication.offer(status("Running", ready: true)) == .write(status("Running", ready: true)))
        #expect(publication.completed(success: true) == .nothing)
        #expect(publication.release() == .nothing)
        #expect(publication.offer(status("Succeeded")) == .write(status("Succeeded")), "so is its end")
    }

    @Test func oneWriteIsUnderWayAtATime() {
        var publication = StatusPublication()
        #expect(publication.demand(status("Pending")) == .write(status("Pending")))
        #expect(publication.offer(status("Running")) == .nothing)
        #expect(publication.offer(status("Running", ready: true)) == .nothing)
        #expect(!publication.isSettled)
        #expect(publication.completed(success: true) == .write(status("Running", ready: true)))
        #expect(publication.completed(success: true) == .nothing)
        #expect(publication.isSettled)
    }

    @Test func aWriteThatFailedIsMadeAgainWithWhatIsWantedThen() {
        var publication = StatusPublication()
        #expect(publication.demand(status("Pending")) == .write(status("Pending")))
        #expect(publication.offer(status("Running")) == .nothing)
        #expect(publication.completed(success: false) == .write(status("Running")))
        #expect(publication.completed(success: false) == .write(status("Running")))
        #expect(publication.completed(success: true) == .nothing)
        #expect(publication.isSettled)
    }
}
