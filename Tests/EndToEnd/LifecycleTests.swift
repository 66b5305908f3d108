import Foundation
import TestSupport
import Testing

/// What the command line does with clusters: start, stop, nodes, profiles, kubeconfig, and what is left after delete.
struct LifecycleTests {
    @Test(.timeLimit(.minutes(1)))
    func startIsIdempotentAndStopKeepsEverything() async throws {
        try await Cluster.running { cluster in
            try await cluster.apply(Manifest.website("web", replicas: 2))
            try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            let (processes, objects) = (try Set(cluster.processes()), try await cluster.objects())
            #expect(try await cluster.martlet("start").contains("is Ready"))
            #expect(try Set(cluster.processes()) == processes, "starting a cluster that runs changes nothing")
            let refused = try await cluster.attemptMartlet("start", "--nodes", "3")
            #expect(refused.status == 1 && refused.errors.contains("martlet node add"), "\(refused)")

            try await cluster.martlet("stop")
            #expect(try cluster.processes().isEmpty, "nothing runs of a stopped cluster")
            try await cluster.martlet("stop")
            let status = try await cluster.attemptMartlet("status")
            #expect(status.status == 1 && status.errors.contains("start it with: martlet start"), "\(status)")

            try await cluster.martlet("start")
            #expect(try await cluster.objects() == objects)
            try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            let address = try await cluster.address(ofService: "web")
            try await eventually("the workload answers again") {
                try await cluster.shell.attempt("curl", ["-fsS", "-o", "/dev/null", "http://\(address)/"]).status == 0
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func kubeconfigKeepsOtherEntries() async throws {
        try await Cluster.prepared { cluster in
            let other = """
                apiVersion: v1
                kind: Config
                clusters: [{name: other, cluster: {server: "https://192.0.2.1"}}]
                users: [{name: other, user: {token: secret}}]
                contexts: [{name: other, context: {cluster: other, user: other}}]
                current-context: other
                """
            try other.write(toFile: cluster.directory + "/kubeconfig", atomically: true, encoding: .utf8)

            try await cluster.martlet("start", "--no-kubeconfig")
            #expect(try await cluster.kubectl("config", "get-contexts", "-o", "name") == "other")
            let alone = cluster.directory + "/alone"
            try await cluster.martlet("kubeconfig").write(toFile: alone, atomically: true, encoding: .utf8)
            #expect(try await cluster.kubectl("--kubeconfig", alone, "get", "--raw", "/readyz") == "ok")

            try await cluster.martlet("start")
            #expect(try await cluster.kubectl("config", "current-context") == cluster.profile)
            let contexts = try await cluster.kubectl("config", "get-contexts", "-o", "name")
            #expect(Set(contexts.split(separator: "\n").map(String.init)) == ["other", cluster.profile])

            try await cluster.martlet("delete")
            let left = try await cluster.kubectl(
                "config", "view", "--raw", "-o",
                "jsonpath={.clusters[*].name} {.contexts[*].name} {.users[*].name} {.users[0].user.token}")
            #expect(left == "other other other secret", "the cluster's entries are gone, the others are whole")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func profilesLiveSideBySide() async throws {
        try await Cluster.running { first in
            let second = Cluster(profile: first.profile + "-b", directory: first.directory, shell: first.shell)
            try await first.apply(Manifest.website("web", replicas: 1))
            let address = try await first.address(ofService: "web")
            // What is the first one's stays so while its supervisor is dead.
            let supervisor = try await first.supervisor()
            kill(supervisor, SIGKILL)
            try await Workload.waitForEnd(of: supervisor)
            try await second.martlet("start")
            #expect(try await first.martlet("status").contains("is Ready"))
            for cluster in [first, second] {
                try await cluster.kubectl(
                    "--context", cluster.profile, "create", "configmap", "mine", "--from-literal=of=\(cluster.profile)")
                let service = Manifest.website("web", replicas: 1)
                try await cluster.kubectl("--context", cluster.profile, "apply", "-f", "-", input: service)
            }
            var addresses: Set<String> = []
            for cluster in [first, second] {
                let of = try await cluster.kubectl(
                    "--context", cluster.profile, "get", "configmap", "mine", "-o", "jsonpath={.data.of}")
                #expect(of == cluster.profile)
                addresses.insert(
                    try await eventually("the Service has an address") {
                        let address = try await cluster.kubectl(
                            "--context", cluster.profile, "get", "service", "web", "-o",
                            "jsonpath={.status.loadBalancer.ingress[0].ip}")
                        return address.isEmpty ? nil : address
                    })
            }
            #expect(addresses.count == 2 && addresses.contains(address), "LoadBalancer addresses: \(addresses)")
            try await second.martlet("delete")
            #expect(try await first.martlet("status").contains("is Ready"), "the other cluster lives on")
            #expect(try await first.kubectl("config", "get-contexts", "-o", "name") == first.profile)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func nodesComeAndGo() async throws {
        try await Cluster.running { cluster in
            let file = cluster.directory + "/shape.yaml"
            try """
            capacity: {cpu: 2, memory: 1Gi, pods: 7}
            labels: {disk: fast}
            taints: [{key: dedicated, value: tests, effect: NoSchedule}]
            zone: zone-b
            """.write(toFile: file, atomically: true, encoding: .utf8)
            #expect(try await cluster.martlet("node", "add", "shaped", "--node-shape", file).contains("Ready"))
            let node = try await cluster.kubectl(
                "get", "node", "shaped", "-o",
                "jsonpath={.status.capacity.cpu} {.status.capacity.memory} {.status.capacity.pods} "
                    + "{.metadata.labels.disk} {.metadata.labels.topology\\.kubernetes\\.io/zone} "
                    + "{.spec.taints[?(@.key=='dedicated')].value}")
            #expect(node == "2 1Gi 7 fast zone-b tests")
            #expect(try await cluster.martlet("node", "list").contains("shaped"))

            try await cluster.apply(
                Manifest.pod("there", container: "command: [/bin/sleep, '1000']") + "\n  nodeName: shaped")
            try await cluster.kubectl("wait", "--for=condition=Ready", "pod/there", "--timeout=20s")
            try await cluster.martlet("node", "stop", "shaped")
            #expect(try Workload.all(of: cluster).isEmpty, "what ran on it has ended with it")
            #expect(try await cluster.martlet("node", "list").contains(/shaped +Stopped/))
            try await cluster.martlet("node", "start", "shaped")
            #expect(try await cluster.martlet("node", "list").contains(/shaped +Running/))
            try await eventually("its pod runs again") {
                try Workload.all(of: cluster).count == 1
            }

            // Whoever has copied a node's credentials has them for as long as the node is there.
            let server = try await cluster.kubectl(
                "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
            let own = try String(contentsOfFile: cluster.state + "/pki/node-shaped.kubeconfig", encoding: .utf8)
            let copy = cluster.directory + "/copy.kubeconfig"
            try own.replacing("https://172.30.0.1:6443", with: server).write(
                toFile: copy, atomically: true, encoding: .utf8)
            #expect(
                try await cluster.kubectl("--kubeconfig", copy, "get", "nodes", "-o", "name").contains("node/shaped"))

            try await cluster.martlet("node", "remove", "shaped")
            let refused = try await cluster.shell.attempt("kubectl", ["--kubeconfig", copy, "get", "nodes"])
            #expect(refused.status == 1 && refused.errors.contains("Unauthorized"), "\(refused)")
            try await eventually("the node and its pod are gone") {
                let left = try await cluster.kubectl("get", "nodes,pods", "-o", "name")
                return left == "node/node-1"
            }
            let last = try await cluster.attemptMartlet("node", "remove", "node-1")
            #expect(last.status == 1 && last.errors.contains("the cluster's only node"), "\(last)")
            let unknown = try await cluster.attemptMartlet("node", "stop", "nope")
            #expect(unknown.status == 1 && unknown.errors.contains(#"node "nope" does not exist"#), "\(unknown)")

            // Two at once: one of them must find that it is about the last node.
            try await cluster.martlet("node", "add", "second")
            async let one = cluster.attemptMartlet("node", "remove", "node-1")
            async let other = cluster.attemptMartlet("node", "remove", "second")
            #expect(try await [one.status, other.status].sorted() == [0, 1])
            try await cluster.martlet("stop")
            try await cluster.martlet("start")
            #expect(try await cluster.martlet("node", "list").matches(of: /Running/).count == 1)

            // A stop does not wait for a node that is just being added.
            async let added = cluster.attemptMartlet("node", "add", "late")
            try await cluster.martlet("stop")
            _ = try await added
            try await cluster.martlet("start")
            #expect(!(try await cluster.martlet("node", "list").contains("Stopped")))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func commandsTellOfTheCluster() async throws {
        try await Cluster.running { cluster in
            let text = try await cluster.martlet("status", "-o", "json")
            let status = try JSONSerialization.jsonObject(with: Data(text.utf8))
            let components = (status as? [String: Any])?["components"] as? [[String: Any]] ?? []
            #expect(
                Set(components.compactMap { $0["name"] as? String })
                    == ["control-plane", "service-proxy", "egress", "node-agent-node-1"])
            #expect(components.allSatisfy { $0["state"] as? String == "Ready" })
            for component in ["supervisor", "control-plane", "service-proxy", "node-agent-node-1"] {
                #expect(try await cluster.martlet("logs").contains(component))
                _ = try await cluster.martlet("logs", component)
            }
            #expect(try await cluster.martlet("logs", "supervisor").contains("the cluster is Ready"))
            let unknown = try await cluster.attemptMartlet("logs", "nope")
            #expect(unknown.status == 1 && unknown.errors.contains("no component \"nope\""), "\(unknown)")
            #expect(try await cluster.shell.run(Repository.martlet, ["version"]).contains("Kubernetes v1.33"))
            for shell in ["bash", "zsh", "fish"] {
                let script = try await cluster.shell.run(Repository.martlet, ["completion", shell])
                #expect(script.contains("martlet") && script.contains("kubeconfig"), "\(shell)")
            }
            let other = Cluster(profile: cluster.profile + "-x", directory: cluster.directory, shell: cluster.shell)
            for command in ["status", "stop", "logs", "kubeconfig"] {
                let result = try await other.attemptMartlet(command)
                #expect(result.status == 1 && result.errors.contains("is not running"), "\(result)")
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func deleteLeavesTheHostAsItWas() async throws {
        let host = try await HostState()
        try await Cluster.running(nodes: 2) { cluster in
            try await cluster.apply(Manifest.website("web", replicas: 2))
            try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            try await host.expectUnchanged("with a cluster running")
            var pids = try cluster.processes() + Workload.all(of: cluster)
            for holder in ["cluster", "node-holder-node-1", "node-holder-node-2"] {
                pids.append(try cluster.pid(of: holder))
            }
            try await cluster.martlet("delete")
            try await host.expectUnchanged("after delete")
            for pid in pids { try await Workload.waitForEnd(of: pid) }
            try await cluster.expectNothingLeft()
        }
    }

    /// As when its time is up.
    @Test(.timeLimit(.minutes(1)))
    func aCancelledTestLeavesNothing() async throws {
        let (clusters, running) = AsyncStream.makeStream(of: Cluster.self)
        let test = Task {
            try await Cluster.running { cluster in
                running.yield(cluster)
                try await Task.sleep(for: .seconds(600))
            }
        }
        let cluster = try #require(await clusters.first { _ in true })
        #expect(try !cluster.processes().isEmpty)
        test.cancel()
        _ = await test.result
        try await cluster.expectNothingLeft()
        #expect(!FileManager.default.fileExists(atPath: cluster.directory))
    }
}
