import Foundation
import Testing

/// A kubectl that tests run: the one on PATH, and Debian 12's own (1.20), which speaks older forms of everything.
struct KubectlClient: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The directory of the executable; nil for the one on PATH.
    var directory: String?
    var environment: [String: String] = [:]

    static let onPath = KubectlClient(testDescription: "kubectl on PATH")
    /// `make test` unpacks it and names its directory.
    static let old = ProcessInfo.processInfo.environment["MARTLET_OLD_KUBECTL"].map {
        KubectlClient(testDescription: "old kubectl", directory: $0)
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
        if let directory { shell.path = [directory] }
        let version = try await shell.run("kubectl", ["version", "--client", "-o", "json"])
        return try #require(version.firstMatch(of: /"minor": "(\d+)/).flatMap { Int($0.1) }, "\(version)")
    }
}

extension Cluster {
    /// The same cluster, seen through another client, or from another directory.
    func through(_ client: KubectlClient, in workingDirectory: String? = nil) -> Cluster {
        var shell = shell
        if let directory = client.directory { shell.path = [directory] }
        shell.environment.merge(client.environment) { $1 }
        if let workingDirectory { shell.directory = workingDirectory }
        return Cluster(profile: profile, directory: directory, shell: shell)
    }
}
