import Foundation
import KubernetesModel
import Linux
import Testing

/// Real kubectl against a real server over TLS, for every version of it that the machine has.
@Suite struct KubectlTests {
    static let versions: [String] = {
        let dispatcher = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/usr/bin/kubectl")) ?? ""
        let directory = URL(fileURLWithPath: dispatcher, relativeTo: URL(fileURLWithPath: "/usr/bin/"))
            .deletingLastPathComponent().path
        let candidates = ["\(directory)/kubectl.1.27", "\(directory)/kubectl.1.33", "/usr/bin/kubectl"]
        let present = candidates.filter { FileManager.default.isExecutableFile(atPath: $0) }
        return present.count > 1 ? present.filter { $0 != "/usr/bin/kubectl" } : present
    }()

    @Test(.enabled(if: !versions.isEmpty, "needs a kubectl on PATH"), arguments: versions)
    func theLifeOfADeployment(_ kubectl: String) async throws {
        try await TestServer.run { kubeconfig, _ in
            let kubectl = Command(kubectl, kubeconfig)
            #expect(
                try await kubectl.run("create", "deployment", "web", "--image=nginx:1") == "deployment.apps/web created"
            )
            #expect(try await kubectl.run("scale", "deployment", "web", "--replicas=3") == "deployment.apps/web scaled")
            #expect(
                try await kubectl.run("set", "image", "deployment/web", "nginx=nginx:2")
                    == "deployment.apps/web image updated")
            #expect(
                try await kubectl.run(
                    "patch", "deployment", "web", "--type=json", "-p",
                    #"[{"op": "add", "path": "/metadata/labels/tier", "value": "front"}]"#)
                    == "deployment.apps/web patched")
            #expect(
                try await kubectl.run(
                    "get", "deployments", "-l", "tier=front", "-o",
                    "jsonpath={.items[*].spec.replicas} {.items[*].spec.template.spec.containers[*].image} "
                        + "{.items[*].metadata.generation}") == "3 nginx:2 3")
            let table = try await kubectl.run("get", "deployments").split(separator: "\n")
            #expect(table.first?.hasPrefix("NAME   READY   UP-TO-DATE   AVAILABLE   AGE") == true)
            #expect(table.last?.hasPrefix("web    0/3") == true)
            #expect(
                try await kubectl.run("delete", "deployment", "web").hasPrefix("deployment.apps \"web\" deleted"))
            #expect(
                try await kubectl.run("get", "deployment", "web")
                    == "Error from server (NotFound): deployments.apps \"web\" not found")
        }
    }

    @Test(.enabled(if: !versions.isEmpty, "needs a kubectl on PATH"), arguments: versions)
    func applyExplainAndDiscovery(_ kubectl: String) async throws {
        try await TestServer.run { kubeconfig, _ in
            let kubectl = Command(kubectl, kubeconfig)
            let manifest = NSTemporaryDirectory() + "martlet-" + UUID().uuidString + ".yaml"
            defer { try? FileManager.default.removeItem(atPath: manifest) }
            func apply(_ value: String) async throws -> String {
                let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: \"\(value)\"}\n"
                try text.write(toFile: manifest, atomically: true, encoding: .utf8)
                return try await kubectl.run("apply", "-f", manifest)
            }
            #expect(try await apply("1") == "configmap/c created")
            #expect(try await apply("1") == "configmap/c unchanged")
            #expect(try await apply("2") == "configmap/c configured")
            #expect(try await kubectl.run("get", "cm", "c", "-o", "jsonpath={.data.a}") == "2")
            let types = try await kubectl.run("api-resources", "-o", "name").split(separator: "\n")
            for name in ["pods", "deployments.apps", "ingresses.networking.k8s.io", "events.events.k8s.io"] {
                #expect(types.contains { $0 == name }, "\(name) is listed")
            }
            #expect(try await kubectl.run("explain", "deployment.metadata.name").contains("name"))
            #expect(try await kubectl.run("auth", "can-i", "create", "pods") == "yes")
        }
    }

    /// What kubectl prints for what Kubernetes refuses.
    @Test(
        .enabled(if: !versions.isEmpty, "needs a kubectl on PATH"),
        arguments: [
            (
                #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"a"}]}}"#,
                "The Pod \"a\" is invalid: spec.containers[0].image: Required value"
            ),
            (
                #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"port":70000,"targetPort":1}]}}"#,
                "The Service \"a\" is invalid: spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, "
                    + "inclusive"
            ),
            (
                #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"none"}}"#,
                "Error from server (NotFound): error when creating \"-\": namespaces \"none\" not found"
            ),
            (
                #"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}}"#,
                "Error from server (AlreadyExists): error when creating \"-\": namespaces \"default\" already exists"
            ),
        ])
    func refusals(_ manifest: String, _ wanted: String) async throws {
        try await TestServer.run { kubeconfig, _ in
            let kubectl = Command(Self.versions[0], kubeconfig)
            let file = NSTemporaryDirectory() + "martlet-" + UUID().uuidString + ".json"
            defer { try? FileManager.default.removeItem(atPath: file) }
            try manifest.write(toFile: file, atomically: true, encoding: .utf8)
            let said = try await kubectl.run("create", "--validate=false", "-f", file)
            #expect(said == wanted.replacingOccurrences(of: "\"-\"", with: "\"\(file)\""))
        }
    }
}

/// Runs a program off the cooperative pool, and gives its output, or else what it said of its failure.
struct Command: Sendable {
    let program: String
    let kubeconfig: String

    init(_ program: String, _ kubeconfig: String) {
        self.program = program
        self.kubeconfig = kubeconfig
    }

    func run(_ arguments: String...) async throws -> String {
        let environment = [
            "KUBECONFIG=\(kubeconfig)", "HOME=\((kubeconfig as NSString).deletingLastPathComponent)",
            "PATH=/usr/bin:/bin",
        ]
        let program = program
        return try await Blocking.run { () throws -> String in
            // Pipes that no other child inherits, for that would hold them open.
            let (output, errors) = (try makePipe(), try makePipe())
            let pid = try Spawn(
                [program] + arguments, environment: environment,
                descriptors: [(own: output.writer, child: 1), (own: errors.writer, child: 2)]
            ).start()
            for pipe in [output, errors] { pipe.writer.close() }
            let printed = try output.reader.readToEnd()
            let said = try errors.reader.readToEnd()
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let text = String(decoding: status == 0 ? printed : said, as: UTF8.self)
            return text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }
}
