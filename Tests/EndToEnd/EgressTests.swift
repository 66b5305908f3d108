import Foundation
import Glibc
import TestSupport
import Testing

/// What pods reach outside of their cluster, by each program that can carry it.
struct EgressTests {
    @Test(.timeLimit(.minutes(4)))
    func podsReachTheOutside() async throws {
        try await Outside.prepared { outside in
            let cluster = outside.cluster
            try await cluster.martlet("start", "--nodes", "2")
            #expect(try await cluster.martlet("status").contains("Egress: internet\n"))
            try await Self.addClients(cluster, nodes: 2)
            for pod in ["client-1", "client-2"] {
                for url in ["http://\(Outside.address):8080/", "http://site.outside.test:8080/"] {
                    #expect(try await outside.fetch(url, from: pod) == Outside.machineAddress, "\(url) from \(pod)")
                }
                #expect(try await Self.echo(cluster, pod) == "hello")
                try await cluster.kubectl("exec", pod, "--", "ping", "-c", "1", "-W", "5", Outside.address)
                let refused = try await outside.attempt("http://\(Outside.address):8099/", from: pod)
                #expect(refused.errors.contains("(7)"), "refused, and not in silence: \(refused)")
            }
            try await Self.expectClosed(outside, to: ["169.254.169.254", "172.30.255.2:8081", "host.martlet.internal"])
            try await Self.namesAreAskedForOnce(outside)
            try await Self.whatIsWithinOutlivesIt(outside)
            try await Self.nothingIsLeftOfOneThatOutlivedItsCluster(outside)
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func podsReachTheHostOrNothingWhereThatIsAskedFor() async throws {
        try await Outside.prepared { outside in
            let cluster = outside.cluster
            try await cluster.martlet("start", "--egress", "host")
            try await Self.addClients(cluster, nodes: 1)
            for name in ["host.martlet.internal", "host.docker.internal", "host.minikube.internal"] {
                #expect(try await outside.fetch("http://\(name):8081/", from: "client-1") == "127.0.0.1")
            }
            #expect(try await outside.fetch("http://\(Outside.address):8080/", from: "client-1") != "")
            try await Self.expectClosed(outside, to: ["169.254.169.254", "172.30.255.3:8081"])

            let running = try await cluster.attemptMartlet("start", "--egress", "none")
            #expect(running.status == 1 && running.errors.contains("runs with others; stop it first"), "\(running)")
            try await cluster.martlet("stop")
            try await cluster.martlet("start", "--egress", "none")
            #expect(try await cluster.martlet("status").contains("Egress: none\n"))
            try await cluster.kubectl("wait", "--for=condition=Ready", "pods", "--all", "--timeout=30s")
            try await Self.expectClosed(
                outside, to: ["\(Outside.address):8080", "site.outside.test:8080", "host.martlet.internal:8081"])
        }
    }

    private static func addClients(_ cluster: Cluster, nodes: Int) async throws {
        for node in 1...nodes {
            try await cluster.apply(
                Manifest.pod("client-\(node)", container: "command: [/bin/sleep, '1000']")
                    + "\n  nodeName: node-\(node)")
        }
        try await cluster.kubectl("wait", "--for=condition=Ready", "pods", "--all", "--timeout=30s")
    }

    /// What a datagram to the outside is answered.
    private static func echo(_ cluster: Cluster, _ pod: String) async throws -> String {
        try await cluster.kubectl(
            "exec", pod, "--", "/usr/bin/python3", "-c",
            """
            import socket
            link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            link.settimeout(5)
            link.sendto(b"hello", ("\(Outside.address)", 9000))
            print(link.recv(100).decode())
            """)
    }

    /// Where nothing leads to is said at once.
    private static func expectClosed(_ outside: Outside, to places: [String]) async throws {
        for place in places {
            let result = try await outside.attempt("http://\(place)/", from: "client-1")
            // 6: the name does not resolve; 7: no connection; not 28: the time is over.
            #expect(result.errors.contains("(7)") || result.errors.contains("(6)"), "\(result)")
        }
    }

    private static func namesAreAskedForOnce(_ outside: Outside) async throws {
        let cluster = outside.cluster
        func lookUp(_ name: String, _ count: Int) async throws -> CommandResult {
            try await cluster.attemptKubectl(
                "exec", "client-1", "--", "sh", "-c",
                "for i in $(seq \(count)); do getent ahostsv4 \(name) >/tmp/found; done; wc -l </tmp/found")
        }
        _ = try await lookUp("often.outside.test", 20)
        #expect(try outside.queries("often.outside.test") == 1)
        _ = try await lookUp("missing.outside.test", 20)
        #expect(try outside.queries("missing.outside.test") == 1)
        // Its search paths are the cluster's own.
        #expect(try outside.queries("often.outside.test.default.svc.cluster.local") == 0)
        // By TCP where it fits no datagram: once by each, whoever asks.
        let long = try await lookUp("long.outside.test", 5)
        #expect((Int(long.text) ?? 0) >= 100, "\(long)")
        #expect(try outside.queries("long.outside.test") == 2)
    }

    /// Its death costs the connections to the outside that there are, and nothing else.
    private static func whatIsWithinOutlivesIt(_ outside: Outside) async throws {
        let cluster = outside.cluster
        let killed = try cluster.pid(of: "egress")
        kill(killed, SIGKILL)
        #expect(try await cluster.kubectl("exec", "client-1", "--", "getent", "hosts", "kubernetes.default") != "")
        try await eventually("pods reach the outside again") {
            try await outside.fetch("http://\(Outside.address):8080/", from: "client-1") == Outside.machineAddress
        }
        let status = try await cluster.martlet("status")
        #expect(status.contains("is Ready"), "\(status)")
        #expect(try cluster.pid(of: "egress") != killed)
    }

    /// Who comes next serves the link of the new namespaces, not of those that are gone.
    private static func nothingIsLeftOfOneThatOutlivedItsCluster(_ outside: Outside) async throws {
        let cluster = outside.cluster
        let survivor = try cluster.pid(of: "egress")
        var pids = [try await cluster.supervisor()] + (try cluster.processes())
        for holder in ["cluster", "node-holder-node-1", "node-holder-node-2"] {
            pids.append(try cluster.pid(of: holder))
        }
        for pid in pids where pid != survivor { kill(pid, SIGKILL) }
        for pid in pids where pid != survivor { try await Workload.waitForEnd(of: pid) }
        try await cluster.martlet("start")
        try await Workload.waitForEnd(of: survivor)
        try await eventually("pods reach the outside again") {
            try await outside.fetch("http://\(Outside.address):8080/", from: "client-1") == Outside.machineAddress
        }
    }
}
