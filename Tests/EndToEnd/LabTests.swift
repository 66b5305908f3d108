import Foundation
import TestSupport
import Testing

/// The deployment lab of docs/lab.md, with nothing but kubectl, on two nodes.
@Suite(.serialized)
struct LabTests {
    @Test(.timeLimit(.minutes(10)), arguments: KubectlClient.all)
    func lab(client: KubectlClient) async throws {
        try await Lab.prepared(client) { lab in
            try await lab.explains()
            try await lab.createsTheApplication()
            try await lab.scales()
            try await lab.updatesAndRollsBack()
            try await lab.runsACanary()
            try await lab.keepsAClientWithOneVersion()
            try await lab.switchesBlueAndGreen()
            let left = await lab.page.lines
            #expect(left.isEmpty, "every command of the page has been run")
        }
    }
}

/// The commands of docs/lab.md, in order.
actor LabPage {
    /// Those that have not been run yet.
    private(set) var lines: [String] = []

    /// - Parameter heading: the first section to take commands from; nil for all.
    init(from heading: String? = nil) throws {
        let text = try String(contentsOfFile: Repository.root + "docs/lab.md", encoding: .utf8)
        var (started, inCode) = (heading == nil, false)
        for line in text.split(separator: "\n") {
            if let heading, line == "## \(heading)" { started = true }
            if line.hasPrefix("```") { inCode.toggle() }
            let command = String(line.replacing(/\s+# .*$/, with: ""))
            // Clusters, images and the directory are a test's own.
            let isOther = ["```", "martlet ", "make ", "cd "].contains { command.hasPrefix($0) }
            if started, inCode, !isOther { lines.append(command) }
        }
    }

    /// Takes the next command, which must be this one.
    func take(_ command: String) throws {
        try #require(lines.first == command, "the test runs what docs/lab.md says next")
        lines.removeFirst()
    }
}

/// The lab in a cluster.
struct Lab: Sendable {
    let cluster: Cluster
    let page: LabPage

    /// Runs `body` with a cluster of two nodes and the lab's files.
    static func prepared(
        _ client: KubectlClient, from heading: String? = nil, _ body: (Lab) async throws -> Void
    ) async throws {
        try await Cluster.prepared { prepared in
            let files = prepared.directory + "/lab"
            try FileManager.default.copyItem(atPath: Repository.root + "docs/lab", toPath: files)
            try prepared.useExampleImages()
            try await prepared.martlet("start", "--nodes", "2")
            let cluster = prepared.through(client, in: files)
            try await body(Lab(cluster: cluster, page: LabPage(from: heading)))
        }
    }

    /// Runs a command of the page as it stands there.
    ///
    /// - Parameter variables: shell variables that it is run with.
    @discardableResult
    func run(_ command: String, with variables: String = "") async throws -> String {
        try await page.take(command)
        return try await cluster.shell.sh(variables.isEmpty ? command : "export \(variables)\n\(command)")
    }

    /// What the page has in place of the frontend's address.
    private static let address = #"$(kubectl get svc frontend -o=jsonpath="{.status.loadBalancer.ingress[0].ip}")"#

    private func rollsOut(_ names: String...) async throws {
        for name in names { try await cluster.kubectl("rollout", "status", "deployment/\(name)", "--timeout=60s") }
    }

    func explains() async throws {
        let deployment = try await run("kubectl explain deployment")
        #expect(deployment.contains(/KIND: +Deployment\n/) && deployment.contains(/VERSION: +(apps\/)?v1\n/))
        #expect(deployment.contains(/DESCRIPTION:\n +\w+/), "it says what a Deployment is: \(deployment)")
        #expect(deployment.contains(/\n +spec\t<(DeploymentSpec|Object)>\n +\w+/), "and its fields: \(deployment)")
        #expect(!deployment.contains("maxSurge"))
        let fields = try await run("kubectl explain deployment --recursive")
        for field in ["maxSurge", "matchLabels", "terminationGracePeriodSeconds", "readinessProbe", "conditions"] {
            #expect(fields.contains(try Regex("\\n +\(field)\\t<")), "\(field): \(fields)")
        }
        let name = try await run("kubectl explain deployment.metadata.name")
        #expect(name.contains(/FIELD: +name <string>/) && name.contains(/DESCRIPTION:\n +\w+/), "\(name)")
    }

    func createsTheApplication() async throws {
        try await run("kubectl create -f deployments/auth.yaml -f services/auth.yaml")
        try await run("kubectl create -f deployments/hello.yaml -f services/hello.yaml")
        try await run("mkdir tls")
        try await run(
            "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=frontend -keyout tls/key.pem -out tls/cert.pem"
        )
        try await run("kubectl create secret generic tls-certs --from-file tls/")
        try await run("kubectl create configmap nginx-frontend-conf --from-file=nginx/frontend.conf")
        try await run("kubectl create -f deployments/frontend.yaml -f services/frontend.yaml")
        try await rollsOut("auth", "hello", "frontend")
        let url = "https://\(try await cluster.address(ofService: "frontend"))"
        try await eventually("the frontend answers") {
            try await cluster.shell.attempt("curl", ["-ksS", "--fail", url]).status == 0
        }
        #expect(try await run("curl -ks https://\(Self.address)").contains("Hello"))
        let login = try await run("curl -ks -u user:password https://\(Self.address)/login")
        #expect(login.split(separator: ".").count == 3, "login answers a signed token: \(login)")
    }

    func scales() async throws {
        try await run("kubectl scale deployment hello --replicas=5")
        try await rollsOut("hello")
        let pods = try await run("kubectl get pods -l app=hello -o wide").split(separator: "\n").dropFirst()
        #expect(pods.count == 5)
        for node in ["node-1", "node-2"] { #expect(pods.contains { $0.contains(node) }, "on both nodes: \(pods)") }
        try await run("kubectl scale deployment hello --replicas=3")
        try await eventually("hello has 3 pods") {
            let pods = try await cluster.kubectl("get", "pods", "-l", "app=hello", "-o", "name")
            return pods.split(separator: "\n").count == 3
        }
    }

    func updatesAndRollsBack() async throws {
        let load = Load(
            url: "https://\(try await cluster.address(ofService: "frontend"))/version", shell: cluster.shell)
        try await load.during {
            try await run(
                "kubectl edit deployment hello", with: "KUBE_EDITOR='sed -i s/hello:1.0.0/hello:2.0.0/'")
            let history = try await run("kubectl rollout history deployment/hello")
            #expect(history.contains(/\n1 .*\n2\s/), "\(history)")
            try await run("kubectl rollout pause deployment/hello")
            try await waitsWhilePaused()
            let mix = try await run(
                #"kubectl get pods -l app=hello -o jsonpath --template='{range .items[*]}{.metadata.name}{"\t"}"#
                    + #"{.spec.containers[0].image}{"\n"}{end}'"#)
            let images = Set(mix.matches(of: /\thello:(\S+)\n/).map { String($0.1) })
            #expect(images == ["1.0.0", "2.0.0"], "paused, both versions run: \(mix)")
            try await run("kubectl rollout resume deployment/hello")
            let status = try await run("kubectl rollout status deployment/hello")
            #expect(status.hasSuffix("deployment \"hello\" successfully rolled out\n"), "\(status)")
            #expect(try await versions(count: 20) == ["2.0.0"])
            try await run("kubectl rollout undo deployment/hello")
            let after = try await run("kubectl rollout history deployment/hello")
            #expect(after.contains(/\n2 .*\n3\s/) && !after.contains("\n1 "), "the undone revision is 3: \(after)")
            try await rollsOut("hello")
            #expect(try await versions(count: 20) == ["1.0.0"])
        }
    }

    /// `rollout status` of a paused rollout tells how far it is, and goes on waiting.
    private func waitsWhilePaused() async throws {
        let command = "kubectl rollout status deployment/hello"
        try await page.take(command)
        let printed = cluster.directory + "/waiting"
        async let ended = cluster.shell.attempt(
            "/bin/sh", ["-c", "echo $$ >\(printed).pid; exec \(command) >\(printed) 2>&1"])
        try await eventually("it tells how far the rollout is") {
            let said = try String(contentsOfFile: printed, encoding: .utf8)
            return said.contains(
                /^Waiting for deployment "hello" rollout to finish: [12] out of 3 new replicas have been updated\.\.\.$/
                    .anchorsMatchLineEndings())
        }
        // As Ctrl-C, which ends it in the shell of who reads the page.
        try await cluster.shell.sh("kill -INT $(cat \(printed).pid)")
        let status = try await ended
        #expect(status.status != 0, "it waited still: \(status)")
    }

    func runsACanary() async throws {
        try await run("kubectl create -f deployments/hello-canary.yaml")
        try await rollsOut("hello-canary")
        let some = try await run("for i in $(seq 20); do curl -ks https://\(Self.address)/version; done")
        #expect(some.matches(of: /"version"/).count == 20)
        let answers = try await answers(count: 2000)
        #expect(answers.count == 2000)
        let share = Double(answers.count { $0 == "2.0.0" }) / 2000
        #expect((0.20...0.30).contains(share), "the canary's share is \(share)")
    }

    func keepsAClientWithOneVersion() async throws {
        try await run("kubectl apply -f services/hello-affinity.yaml")
        try await eventually("one client sees one version only") {
            try await versions(count: 50).count == 1
        }
        #expect(try await versions(count: 200).count == 1)
        try await run(#"kubectl patch service hello -p '{"spec":{"sessionAffinity":"None"}}'"#)
        try await eventually("a client sees both versions again") {
            try await versions(count: 50).count == 2
        }
        try await run("kubectl delete deployment hello-canary")
    }

    func switchesBlueAndGreen() async throws {
        try await run("kubectl apply -f services/hello-blue.yaml")
        try await run("kubectl create -f deployments/hello-green.yaml")
        try await rollsOut("hello-green")
        let load = Load(
            url: "https://\(try await cluster.address(ofService: "frontend"))/version", shell: cluster.shell)
        try await load.during {
            #expect(try await versions(count: 50) == ["1.0.0"], "green gets nothing before the switch")
            try await run("kubectl apply -f services/hello-green.yaml")
            try await eventually("the switch has reached the nodes") {
                try await versions(count: 20) == ["2.0.0"]
            }
            #expect(try await versions(count: 500) == ["2.0.0"])
            try await run("kubectl apply -f services/hello-blue.yaml")
            try await eventually("the switch back has reached the nodes") {
                try await versions(count: 20) == ["1.0.0"]
            }
            #expect(try await versions(count: 500) == ["1.0.0"])
        }
    }

    /// The versions that so many requests one after another were answered by.
    private func answers(count: Int) async throws -> [String] {
        let url = "https://\(try await cluster.address(ofService: "frontend"))/version?[1-\(count)]"
        let output = try await cluster.shell.run("curl", ["-ksS", "--fail", "-w", "\\n", url])
        return output.matches(of: /"version"\s*:\s*"([^"]+)"/).map { String($0.1) }
    }

    private func versions(count: Int) async throws -> Set<String> { Set(try await answers(count: count)) }
}
