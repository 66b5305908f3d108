import Foundation
import KubernetesModel
import Testing

@testable import Supervisor

@Suite struct UserKubeconfigTests {
    private static func cluster(_ name: String, _ server: String) -> JSON {
        KubeconfigEntry(name: name, server: server, authority: "A", clientCertificate: "B", clientKey: "C").document
    }

    private static func with(_ text: String?, _ body: (UserKubeconfig, () throws -> JSON) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "martlet-kubeconfig-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        try text?.write(toFile: path, atomically: false, encoding: .utf8)
        try body(UserKubeconfig(path: path)) { try JSON(yaml: String(contentsOfFile: path, encoding: .utf8)) }
    }

    private static let mine = """
        apiVersion: v1
        kind: Config
        current-context: work
        clusters: [{name: work, cluster: {server: "https://work"}}]
        contexts: [{name: work, context: {cluster: work, user: me}}]
        users: [{name: me, user: {token: t}}]
        preferences: {colors: true}
        """

    /// What was the user's is the user's again, also after starting twice.
    @Test func givesBackWhatWasThere() throws {
        try Self.with(Self.mine) { config, read in
            let before = try read()
            try config.merge(Self.cluster("martlet", "https://127.0.0.1:1"))
            try config.merge(Self.cluster("martlet", "https://127.0.0.1:2"))
            let merged = try read()
            #expect(merged["current-context"] == "martlet")
            #expect(merged["clusters"].items.count == 2)
            #expect(merged["clusters"][1]["cluster"]["server"] == "https://127.0.0.1:2")
            try config.remove("martlet")
            #expect(try read() == before)
        }
    }

    @Test func leavesAContextThatTheUserChose() throws {
        try Self.with(Self.mine) { config, read in
            try config.merge(Self.cluster("a", "https://a"))
            try config.merge(Self.cluster("b", "https://b"))
            try config.remove("a")
            #expect(try read()["current-context"] == "b")
            // The one before it is gone, so that none is left.
            try config.remove("b")
            #expect(try read()["current-context"] == "")
            #expect(try read()["contexts"].items.map { $0["name"].string } == ["work"])
        }
    }

    @Test func makesNoFileToRemoveFrom() throws {
        try Self.with(nil) { config, _ in
            try config.remove("martlet")
            #expect(!FileManager.default.fileExists(atPath: config.path))
        }
    }
}
