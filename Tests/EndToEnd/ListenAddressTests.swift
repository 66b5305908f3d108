import Foundation
import TestSupport
import Testing

/// Services that the network reaches because the machine's user has said so, and ports that somebody else has.
struct ListenAddressTests {
    @Test(.timeLimit(.minutes(4)))
    func theNetworkReachesWhatIsOpenAndNothingElse() async throws {
        try await Outside.prepared { outside in
            let cluster = outside.cluster
            for address in ["0.0.0.0", "127.0.0.1", "192.0.2.77", "me"] {
                let refused = try await cluster.attemptMartlet("start", "--listen-address", address)
                #expect(refused.status == 1 && refused.errors.contains("--listen-address \(address)"), "\(refused)")
            }
            let start = try await cluster.martlet("start", "--listen-address", Outside.machineAddress)
            #expect(start.contains("open to whoever reaches this machine at \(Outside.machineAddress)"), "\(start)")
            try await cluster.apply(Manifest.website("web", replicas: 1))
            try await cluster.apply(Self.service("closed", port: 81, listen: "none"))
            try await cluster.apply(Self.service("greedy", port: 82, listen: "192.0.2.77"))
            try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
            let nodePort = try await cluster.kubectl(
                "get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}")
            for port in ["80", nodePort] {
                try await eventually("the network reaches port \(port)") {
                    try await outside.fetchFromOutside("http://\(Outside.machineAddress):\(port)/").status == 0
                }
            }
            _ = try await cluster.address(ofService: "closed")
            let api = try await cluster.kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
            for port in ["81", "82", String(api.split(separator: ":").last ?? "")] {
                let result = try await outside.fetchFromOutside("http://\(Outside.machineAddress):\(port)/")
                #expect(result.errors.contains("(7)"), "port \(port) is closed: \(result)")
            }
            try await Self.expectEvent(cluster, of: "greedy", "others are opened by: martlet start --listen-address")
        }
    }

    /// Whoever comes second is told who has the port.
    @Test(.timeLimit(.minutes(4)))
    func aPortThatAProgramOfTheMachineHasIsSaid() async throws {
        try await Outside.prepared { outside in
            let cluster = outside.cluster
            try await cluster.martlet("start", "--egress", "none")
            try await cluster.apply(Manifest.website("web", replicas: 1))
            let address = try await cluster.address(ofService: "web")
            try await Self.expectEvent(
                cluster, of: "web",
                "listening at \(address):80/TCP on this machine; a program that listens on that port")
            // The one at 127.0.0.1:8081 is in the way of nobody but itself.
            async let _ = cluster.shell.attempt(
                "timeout", ["60", "/usr/bin/python3", "-m", "http.server", "8090", "--bind", "0.0.0.0"])
            try await eventually("a program listens on all addresses") {
                try await outside.attempt("http://127.0.0.1:8090/", from: nil).status == 0
            }
            try await cluster.apply(Self.service("late", port: 8090))
            try await Self.expectEvent(
                cluster, of: "late", "Address already in use, by python3 (pid ", "at 0.0.0.0:8090")
        }
    }

    private static func service(_ name: String, port: Int, listen: String? = nil) -> String {
        """
        apiVersion: v1
        kind: Service
        metadata: {name: \(name)\(listen.map { ", annotations: {martlet.dev/listen-address: \"\($0)\"}" } ?? "")}
        spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: \(port), targetPort: 80}]}
        """
    }

    private static func expectEvent(_ cluster: Cluster, of service: String, _ texts: String...) async throws {
        try await eventually("an event of \(service) says: \(texts)") {
            let events = try await cluster.kubectl(
                "get", "events", "--field-selector", "involvedObject.name=\(service)", "-o",
                "jsonpath={range .items[*]}{.message}{'\\n'}{end}")
            return events.split(separator: "\n").contains { line in texts.allSatisfy { line.contains($0) } }
        }
    }
}
