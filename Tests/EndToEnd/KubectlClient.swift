import Foundation
import Testing

/// A kubectl that tests run: the one on PATH, and Debian 12's own (1.20), which speaks older forms of everything.
struct KubectlClient: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The folder of the executable; nil for the one on PATH.
    var folder: String?
    var environment: [String: String] = [:]

    static let onPath = KubectlClient(testDescription: "kubectl on PATH")
    /// `make test` unpacks it and names its folder.
    static let old = ProcessInfo.processInfo.environment["MARTLET_OLD_KUBECTL"].map {
        KubectlClient(testDescription: "old kubectl", folder: $0)
    }
    /// New ones stream over WebSocket, if not told otherwise.
    static let overSPDY = KubectlClient(
        testDescription: "kubectl on PATH over SPDY",
        environment: [
            "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false",
        ])

    static let all = [onPath] + (old.map { [$0] } ?? [])

    /// The minor version of Kubernetes that it is of.
    func minorVersion() async throws -> Int {
        var shell = Shell()
        if let folder { shell.path = [folder] }
        let version = try await shell.run("kubectl", ["version", "--client", "-o", "json"])
        return try #require(version.firstMatch(of: /"minor": "(\d+)/).flatMap { Int($0.1) }, "\(version)")
    }
}

extension Cluster {
    /// The same cluster, seen through another client, or from another folder.
    func through(_ client: KubectlClient, in directory: String? = nil) -> Cluster {
        var shell = shell
        if let folder = client.folder { shell.path = [folder] }
        shell.environment.merge(client.environment) { $1 }
        if let directory { shell.directory = directory }
        return Cluster(profile: profile, folder: folder, shell: shell)
    }
}
