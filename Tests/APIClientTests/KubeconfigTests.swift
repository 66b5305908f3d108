import Foundation
import Testing

@testable import APIClient

@Suite struct KubeconfigTests {
    @discardableResult
    private func withFiles<Result>(_ files: [String: String], _ body: (String) throws -> Result) throws -> Result {
        let directory = NSTemporaryDirectory() + "kubeconfig-test-\(UUID())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)")) }
        return try body(directory)
    }

    private let first = """
        current-context: one
        contexts:
        - {name: one, context: {cluster: c, user: u, namespace: shop}}
        clusters:
        - {name: c, cluster: {server: "https://127.0.0.1:6443/", certificate-authority: ca.crt}}
        """
    private let second = """
        {"current-context": "two", "users": [{"name": "u", "user": {"token": "secret"}}],
         "contexts": [{"name": "two", "context": {"cluster": "c", "user": "bad"}}],
         "clusters": [{"name": "c", "cluster": {"server": "https://other"}}]}
        """

    @Test func listedFilesAreMergedAndTheFirstCounts() throws {
        try withFiles(["a": first, "b": second, "ca.crt": "PEM"]) { directory in
            let environment = ["KUBECONFIG": "\(directory)/a:\(directory)/none:\(directory)/b"]
            let config = try Kubeconfig(environment: environment)
            #expect(config.context == "one" && config.server == "https://127.0.0.1:6443")
            #expect(config.namespace == "shop" && config.authority == Array("PEM".utf8))
            if case .token("secret") = config.credentials {} else { Issue.record("\(config.credentials)") }
            #expect(try Kubeconfig(environment: environment, context: "two").namespace == "default")
        }
    }

    @Test(arguments: [
        ("no context", "a: 1", "no current context"),
        ("unknown context", "current-context: x", "no context \"x\""),
        ("not YAML", "a: [", "not YAML"),
    ])
    func aFaultIsNamed(_ fault: String, _ text: String, _ problem: String) throws {
        try withFiles(["config": text]) { directory in
            #expect {
                _ = try Kubeconfig(path: "\(directory)/config")
            } throws: { error in
                guard let error = error as? KubeconfigError else { return false }
                return error.file == "\(directory)/config" && error.problem.contains(problem)
            }
        }
    }
}
