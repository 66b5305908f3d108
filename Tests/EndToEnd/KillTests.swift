import Foundation
import Glibc
import TestSupport
import Testing

/// SIGKILL to each process of a cluster in turn, with requests going on all the while.
struct KillTests {
    @Test(.timeLimit(.minutes(2)))
    func workloadsOutliveEveryKill() async throws {
        try await Lab.prepared(.onPath, from: "Create") { lab in
            let cluster = lab.cluster
            try await lab.createsTheApplication()
            let url = "https://\(try await cluster.address(ofService: "frontend"))/version"
            let before = try Workload.all(of: cluster)
            #expect(before.count == 5, "one process a replica: \(before)")
            let objects = try await cluster.objects()

            try await Load(url: url, shell: cluster.shell).during {
                for component in ["control-plane", "node-agent-node-1", "node-agent-node-2"] {
                    try await Self.kill(component, of: cluster)
                    #expect(try Workload.all(of: cluster) == before, "workloads live on without \(component)")
                }
                let supervisor = try await cluster.supervisor()
                Glibc.kill(supervisor, SIGKILL)
                try await Workload.waitForEnd(of: supervisor)
                #expect(try Workload.all(of: cluster) == before, "workloads live on without the supervisor")
                #expect(try await cluster.kubectl("get", "nodes", "-o", "name").split(separator: "\n").count == 2)
                // Any next command brings the supervisor back, which takes over what runs.
                let status = try await cluster.martlet("status")
                #expect(status.contains("is Ready"), "\(status)")
                #expect(try await cluster.supervisor() != supervisor)
                // And it watches what it took over, also what only holds the namespaces of the others.
                for component in ["cluster", "node-holder-node-1", "node-agent-node-1", "control-plane"] {
                    try await Self.kill(component, of: cluster)
                    #expect(try Workload.all(of: cluster) == before, "workloads live on without \(component)")
                }
            }
            // A container last: what it was just answering is lost with it, but nothing else.
            for killed in try Workload.all(of: cluster) {
                let before = try Workload.all(of: cluster)
                Glibc.kill(killed, SIGKILL)
                try await eventually("the container has been started again, the others left alone") {
                    let now = try Workload.all(of: cluster)
                    return now.count == 5 && before.subtracting(now) == [killed]
                }
            }
            for name in ["auth", "hello", "frontend"] {
                try await cluster.kubectl("rollout", "status", "deployment/\(name)", "--timeout=30s")
            }
            try await cluster.shell.run("curl", ["-ksS", "--fail", "-o", "/dev/null", url])
            #expect(try await cluster.objects() == objects, "no object is lost or made anew")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func theServiceProxyComesBack() async throws {
        try await Cluster.running { cluster in
            try await cluster.apply(Manifest.website("web", replicas: 1))
            try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            let url = "http://\(try await cluster.address(ofService: "web"))/"
            let before = try Workload.all(of: cluster)
            for _ in 1...2 {
                try await Self.kill("service-proxy", of: cluster)
                // The supervisor holds the socket: a client that connects in between is served, not refused.
                try await cluster.shell.run("curl", ["-fsS", "--max-time", "10", "-o", "/dev/null", url])
            }
            #expect(try Workload.all(of: cluster) == before)
        }
    }

    /// The sockets of Services are open as long as the cluster's namespaces.
    @Test(.timeLimit(.minutes(1)))
    func serviceAddressesOutliveSupervisorAndProxy() async throws {
        try await Cluster.running { cluster in
            try await cluster.apply(Manifest.website("web", replicas: 1))
            try await cluster.apply(Manifest.website("gone", replicas: 1))
            try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            let url = "http://\(try await cluster.address(ofService: "web"))/"
            let gone = "http://\(try await cluster.address(ofService: "gone"))/"
            let curl = ["-fsS", "--max-time", "20", "-o", "/dev/null"]
            func killSupervisor() async throws {
                let supervisor = try await cluster.supervisor()
                Glibc.kill(supervisor, SIGKILL)
                try await Workload.waitForEnd(of: supervisor)
            }
            try await eventually("the Service answers") {
                try await cluster.shell.attempt("curl", curl + [url]).status == 0
            }
            // The next supervisor has what its predecessor bound when the proxy dies.
            try await killSupervisor()
            #expect(try await cluster.martlet("status").contains("is Ready"))
            try await Self.kill("service-proxy", of: cluster)
            try await cluster.shell.run("curl", curl + [url])
            // With both dead a client waits for those who come.
            try await killSupervisor()
            let proxy = try cluster.pid(of: "service-proxy")
            Glibc.kill(proxy, SIGKILL)
            try await Workload.waitForEnd(of: proxy)
            async let request = cluster.shell.run("curl", curl + [url])
            // A Service that goes meanwhile leaves no socket behind.
            try await cluster.kubectl("delete", "service", "gone")
            _ = try await cluster.attemptMartlet("status")
            _ = try await request
            try await eventually("the address of the other one is refused") {
                try await cluster.shell.attempt("curl", curl + [gone]).status == 7
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aKilledContainerIsStartedAgain() async throws {
        try await Cluster.running { cluster in
            try await cluster.apply(Manifest.website("web", replicas: 2))
            try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            let before = try Workload.all(of: cluster)
            let killed = try #require(before.first)
            Glibc.kill(killed, SIGKILL)
            try await eventually("the container has been started again, the other one left alone") {
                let now = try Workload.all(of: cluster)
                return now.count == 2 && now.intersection(before) == before.subtracting([killed])
            }
            try await eventually("its status tells how it ended") {
                let statuses = try await cluster.kubectl(
                    "get", "pods", "-o",
                    "jsonpath={range .items[*]}{.status.containerStatuses[0].restartCount} "
                        + "{.status.containerStatuses[0].lastState.terminated.exitCode} {end}")
                return statuses.split(separator: " ").sorted() == ["0", "1", "137"]
            }
            try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func deleteCleansUpAfterKillingEverything() async throws {
        let host = try await HostState()
        try await Cluster.running(nodes: 2) { cluster in
            try await cluster.apply(Manifest.website("web", replicas: 2))
            try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            var pids = try cluster.processes()
            for holder in ["cluster", "node-holder-node-1", "node-holder-node-2"] {
                pids.append(try cluster.pid(of: holder))
            }
            let workloads = try Workload.all(of: cluster)
            // The supervisor first, so that nobody starts anything again.
            Glibc.kill(try await cluster.supervisor(), SIGKILL)
            for pid in pids { Glibc.kill(pid, SIGKILL) }
            try await cluster.martlet("delete")
            for pid in pids + workloads { try await Workload.waitForEnd(of: pid) }
            try await host.expectUnchanged("after all was killed and deleted")
            try await cluster.expectNothingLeft()
        }
    }

    /// Ends a component by SIGKILL and waits until the cluster is Ready again with a new one.
    private static func kill(_ component: String, of cluster: Cluster) async throws {
        let old = try cluster.pid(of: component)
        Glibc.kill(old, SIGKILL)
        try await eventually("\(component) runs again") {
            guard let new = try? cluster.pid(of: component), new != old else { return false }
            return try await cluster.attemptMartlet("status").status == 0
        }
        try await eventually("both nodes are Ready without \(component)'s old process") {
            let nodes = try await cluster.kubectl(
                "get", "nodes", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}")
            return nodes.split(separator: " ").allSatisfy { $0 == "True" } && !nodes.isEmpty
        }
    }
}
