import Foundation
import Testing

/// The deployment lab of docs/lab.md, with nothing but kubectl, on two nodes.
@Suite(.serialized)
struct LabTests {
    /// The kubectl on PATH, and an old one where the machine has it (`MARTLET_OLD_KUBECTL` names its folder).
    static let clients: [String?] =
        [nil] + (ProcessInfo.processInfo.environment["MARTLET_OLD_KUBECTL"].map { [$0] } ?? [])

    @Test(.timeLimit(.minutes(10)), arguments: clients)
    func lab(kubectlFolder: String?) async throws {
        try await Cluster.prepared { prepared in
            var shell = prepared.shell
            if let kubectlFolder { shell.path = [kubectlFolder] }
            shell.directory = Repository.root + "docs/lab"
            let cluster = Cluster(profile: prepared.profile, folder: prepared.folder, shell: shell)
            try cluster.useExampleImages()
            try await cluster.martlet("start", "--nodes", "2")
            let lab = Lab(cluster: cluster)
            try await lab.explains()
            try await lab.createsTheApplication()
            try await lab.scales()
            try await lab.updatesAndRollsBack()
            try await lab.runsACanary()
            try await lab.keepsAClientWithOneVersion()
            try await lab.switchesBlueAndGreen()
        }
    }
}

struct Lab {
    let cluster: Cluster
    var address: String {
        get async throws {
            try await eventually("the frontend has an address") {
                let text = try await cluster.kubectl(
                    "get", "svc", "frontend", "-o=jsonpath={.status.loadBalancer.ingress[0].ip}")
                return text.isEmpty ? nil : text
            }
        }
    }

    func explains() async throws {
        #expect(try await cluster.kubectl("explain", "deployment").contains("Deployment"))
        #expect(try await cluster.kubectl("explain", "deployment", "--recursive").contains("maxSurge"))
        #expect(try await cluster.kubectl("explain", "deployment.metadata.name").contains("name"))
    }

    func createsTheApplication() async throws {
        for name in ["auth", "hello"] {
            try await cluster.kubectl("create", "-f", "deployments/\(name).yaml")
            try await cluster.kubectl("create", "-f", "services/\(name).yaml")
        }
        try await cluster.shell.sh(
            "mkdir -p \(cluster.folder)/tls && openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=frontend "
                + "-keyout \(cluster.folder)/tls/key.pem -out \(cluster.folder)/tls/cert.pem 2>/dev/null")
        try await cluster.kubectl("create", "secret", "generic", "tls-certs", "--from-file", "\(cluster.folder)/tls")
        try await cluster.kubectl("create", "configmap", "nginx-frontend-conf", "--from-file=nginx/frontend.conf")
        try await cluster.kubectl("create", "-f", "deployments/frontend.yaml")
        try await cluster.kubectl("create", "-f", "services/frontend.yaml")
        for name in ["auth", "hello", "frontend"] {
            try await cluster.kubectl("rollout", "status", "deployment/\(name)", "--timeout=60s")
        }
        let address = try await address
        let answer = try await eventually("the frontend answers from hello") {
            let result = try await cluster.shell.attempt("curl", ["-ksS", "https://\(address)"])
            return result.output.contains("Hello") ? result.output : nil
        }
        #expect(answer.contains("Hello"))
        let login = try await cluster.shell.run("curl", ["-ksS", "-u", "user:password", "https://\(address)/login"])
        #expect(login.split(separator: ".").count == 3, "login answers a signed token: \(login)")
    }

    func scales() async throws {
        for replicas in [5, 3] {
            try await cluster.kubectl("scale", "deployment", "hello", "--replicas=\(replicas)")
            try await eventually("hello has \(replicas) pods") {
                let pods = try await cluster.kubectl("get", "pods", "-l", "app=hello", "-o", "name")
                return pods.split(separator: "\n").count == replicas ? () : nil
            }
        }
        try await cluster.kubectl("rollout", "status", "deployment/hello", "--timeout=60s")
        let nodes = try await cluster.kubectl(
            "get", "pods", "-l", "app=hello", "-o=jsonpath={.items[*].spec.nodeName}")
        #expect(Set(nodes.split(separator: " ")).count == 2, "the pods spread over both nodes")
    }

    func updatesAndRollsBack() async throws {
        let load = Load(url: "https://\(try await address)/version", shell: cluster.shell)
        try await load.during {
            var edit = cluster
            edit = Cluster(
                profile: cluster.profile, folder: cluster.folder,
                shell: {
                    var shell = cluster.shell
                    shell.environment["KUBE_EDITOR"] = "sed -i s/hello:1.0.0/hello:2.0.0/"
                    return shell
                }())
            try await edit.kubectl("edit", "deployment", "hello")
            try await cluster.kubectl("rollout", "pause", "deployment/hello")
            #expect(try await cluster.kubectl("rollout", "history", "deployment/hello").contains("2"))
            let mix = try await cluster.kubectl(
                "get", "pods", "-l", "app=hello", "-o=jsonpath={.items[*].spec.containers[0].image}")
            #expect(mix.contains("hello:1.0.0"), "paused, the old version still runs: \(mix)")
            try await cluster.kubectl("rollout", "resume", "deployment/hello")
            let status = try await cluster.kubectl("rollout", "status", "deployment/hello", "--timeout=60s")
            #expect(status.contains("successfully rolled out"))
            #expect(try await versions(count: 20) == ["2.0.0"])
            try await cluster.kubectl("rollout", "undo", "deployment/hello")
            try await cluster.kubectl("rollout", "status", "deployment/hello", "--timeout=60s")
            let history = try await cluster.kubectl("rollout", "history", "deployment/hello")
            #expect(history.contains("3") && !history.contains("\n1 "), "the undone revision is the newest: \(history)")
            #expect(try await versions(count: 20) == ["1.0.0"])
        }
    }

    func runsACanary() async throws {
        try await cluster.kubectl("create", "-f", "deployments/hello-canary.yaml")
        try await cluster.kubectl("rollout", "status", "deployment/hello-canary", "--timeout=60s")
        let answers = try await answers(count: 2000)
        #expect(answers.count == 2000)
        let share = Double(answers.count { $0 == "2.0.0" }) / 2000
        #expect((0.20...0.30).contains(share), "the canary's share is \(share)")
    }

    func keepsAClientWithOneVersion() async throws {
        try await cluster.kubectl("apply", "-f", "services/hello-affinity.yaml")
        try await eventually("one client sees one version only") {
            try await versions(count: 50).count == 1 ? () : nil
        }
        #expect(try await versions(count: 200).count == 1)
        try await cluster.kubectl("apply", "-f", "services/hello.yaml")
        try await cluster.kubectl("patch", "svc", "hello", "-p", #"{"spec":{"sessionAffinity":"None"}}"#)
        try await cluster.kubectl("delete", "deployment", "hello-canary")
    }

    func switchesBlueAndGreen() async throws {
        try await cluster.kubectl("apply", "-f", "services/hello-blue.yaml")
        try await cluster.kubectl("create", "-f", "deployments/hello-green.yaml")
        try await cluster.kubectl("rollout", "status", "deployment/hello-green", "--timeout=60s")
        let load = Load(url: "https://\(try await address)/version", shell: cluster.shell)
        try await load.during {
            #expect(try await versions(count: 50) == ["1.0.0"], "green gets nothing before the switch")
            try await cluster.kubectl("apply", "-f", "services/hello-green.yaml")
            try await eventually("the switch has reached the nodes", within: .seconds(5)) {
                try await versions(count: 20) == ["2.0.0"] ? () : nil
            }
            #expect(try await versions(count: 500) == ["2.0.0"])
            try await cluster.kubectl("apply", "-f", "services/hello-blue.yaml")
            try await eventually("the switch back has reached the nodes", within: .seconds(5)) {
                try await versions(count: 20) == ["1.0.0"] ? () : nil
            }
            #expect(try await versions(count: 500) == ["1.0.0"])
        }
    }

    /// The versions that so many requests one after another were answered by.
    private func answers(count: Int) async throws -> [String] {
        let output = try await cluster.shell.run(
            "curl",
            ["-ksS", "--fail", "--globoff", "-w", "\\n", "https://\(try await address)/version"]
                .flatMap { $0.hasPrefix("https") ? ["https://\(String($0.dropFirst(8)))?[1-\(count)]"] : [$0] }
                .filter { $0 != "--globoff" })
        return output.matches(of: /"version"\s*:\s*"([^"]+)"/).map { String($0.1) }
    }

    private func versions(count: Int) async throws -> Set<String> { Set(try await answers(count: count)) }
}

/// Requests without pause from two clients, none of which may fail.
struct Load {
    let url: String
    let shell: Shell

    func during(_ body: () async throws -> Void) async throws {
        let marker = FileManager.default.temporaryDirectory.appending(path: "mt-load-\(UUID().uuidString)").path()
        try "".write(toFile: marker, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: marker) }
        // A new connection each time, as from ever new clients.
        let line = """
            sent=0; failed=0
            while [ -e \(marker) ]; do
                sent=$((sent + 1))
                curl -ksS --fail --max-time 10 -o /dev/null \(url) || failed=$((failed + 1))
            done
            echo "$sent $failed"
            """
        async let first = shell.run("/bin/sh", ["-c", line])
        async let second = shell.run("/bin/sh", ["-c", line])
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        try? FileManager.default.removeItem(atPath: marker)
        for output in [try await first, try await second] {
            let counts = output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            #expect(counts.count == 2 && counts[0] > 10, "the load was sent: \(output)")
            #expect(counts.last == 0, "failed requests of \(counts.first ?? 0): \(counts.last ?? -1)")
        }
        try outcome.get()
    }
}
