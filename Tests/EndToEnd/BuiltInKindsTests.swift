import Foundation
import Testing

/// Every kind that the API serves can be created, read, listed, changed, watched and deleted, by real kubectl.
@Suite(.serialized)
struct BuiltInKindsTests {
    /// One object of each kind, `kinds.jsonl`, beside this file.
    private static func samples() throws -> [String] {
        let path = Repository.root + "Tests/EndToEnd/kinds.jsonl"
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test(.timeLimit(.minutes(3)))
    func everyKindLives() async throws {
        try await Cluster.running { cluster in
            let samples = try Self.samples()
            let all = #"{"apiVersion":"v1","kind":"List","items":["# + samples.joined(separator: ",") + "]}"
            let served = try await cluster.kubectl("api-resources", "--verbs=create,list", "-o", "name")
            #expect(served.split(separator: "\n").count == samples.count, "each kind has its sample")

            let created = try await cluster.kubectl("create", "-f", "-", "-o", "name", input: all)
            #expect(created.split(separator: "\n").count == samples.count)
            // The watch ends with its time, which kubectl reports as a failure.
            let watched = try await cluster.attemptKubectl(
                "get", "configmaps", "--watch", "--output-watch-events", "--request-timeout=1s", "-o", "name")
            #expect(watched.output.contains("sample"))
            try await cluster.kubectl("label", "-f", "-", "sample=yes", input: all)
            try await cluster.kubectl("annotate", "-f", "-", "--overwrite", "note=changed", input: all)
            let replaced = try await cluster.kubectl(
                "get", "-f", "-", "-o", "jsonpath={range .items[*]}{.metadata.annotations.note}{\"\\n\"}{end}",
                input: all)
            #expect(replaced.split(separator: "\n").count == samples.count)
            for type in Set(served.split(separator: "\n").map(String.init)) {
                let listed = try await cluster.kubectl("get", type, "-A", "-l", "sample=yes", "-o", "name")
                #expect(!listed.isEmpty, "\(type) lists its object")
            }
            try await cluster.kubectl("delete", "-f", "-", "--wait=false", input: all)
        }
    }
}
