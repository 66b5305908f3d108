import Foundation
import TestSupport
import Testing

/// Services and names as pods on two nodes and the host see them.
struct ServiceTests {
    @Test(.timeLimit(.minutes(2)))
    func trafficAndNames() async throws {
        try await Cluster.prepared { cluster in
            let outside = try OutsideNames(cluster)
            // The name server runs until this scope ends.
            async let _ = cluster.shell.attempt("/usr/bin/python3", ["-c", outside.server])
            try await outside.start(cluster)
            for node in [1, 2] {
                try await cluster.apply(Self.server(node) + "\n---\n" + Self.client(node))
            }
            try await cluster.apply(Self.services)
            try await cluster.kubectl("wait", "--for=condition=Ready", "pods", "--all", "--timeout=30s")
            let test = try await ServiceTest(cluster)
            try await test.everyAddressLeadsToBothPods()
            try await test.namesResolve()
            #expect(try await test.lookUp("A", "site.outside.test") == ["A 192.0.2.7"], "the machine's name servers")
            try await test.onlyReadyPodsAreReached()
            try await test.aClientStaysWithOnePod()
        }
    }

    /// A server that answers its own name while it is ready.
    private static func server(_ node: Int) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web-\(node), labels: {app: web}}
        spec:
          nodeName: node-\(node)
          hostname: web-\(node)
          subdomain: direct
          terminationGracePeriodSeconds: 0
          containers:
          - name: main
            image: host
            command: [/bin/sh, -c, "mkdir /www; echo web-\(node) >/www/name; exec /usr/bin/python3 -m http.server 8080 -d /www"]
            ports: [{name: http, containerPort: 8080}]
            readinessProbe: {httpGet: {path: /name, port: http}, periodSeconds: 1, failureThreshold: 1}
        """
    }

    private static func client(_ node: Int) -> String {
        Manifest.pod("client-\(node)", container: "command: [/bin/sleep, '1000']") + "\n  nodeName: node-\(node)"
    }

    private static let services = """
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {type: LoadBalancer, selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: direct}
        spec: {clusterIP: None, selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: alias}
        spec: {type: ExternalName, externalName: web.default.svc.cluster.local}
        """
}

private struct ServiceTest {
    let cluster: Cluster
    let clusterIP: String
    let nodePort: String
    let loadBalancer: String
    /// By the pods' names.
    let podIPs: [String: String]
    let nodeIPs: [String]

    init(_ cluster: Cluster) async throws {
        self.cluster = cluster
        clusterIP = try await cluster.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
        nodePort = try await cluster.kubectl("get", "service", "web", "-o", "jsonpath={.spec.ports[0].nodePort}")
        loadBalancer = try await cluster.address(ofService: "web")
        let pods = try await cluster.kubectl(
            "get", "pods", "-l", "app=web", "-o",
            "jsonpath={range .items[*]}{.metadata.name} {.status.podIP}{'\\n'}{end}")
        podIPs = Dictionary(
            uniqueKeysWithValues: pods.split(separator: "\n").map {
                let parts = $0.split(separator: " ")
                return (String(parts[0]), String(parts[1]))
            })
        nodeIPs = try await cluster.kubectl(
            "get", "nodes", "-o", "jsonpath={.items[*].status.addresses[?(@.type=='InternalIP')].address}"
        ).split(separator: " ").map(String.init)
        #expect(podIPs.count == 2 && nodeIPs.count == 2)
    }

    /// What so many requests are answered, from a pod, or from the host.
    private func answers(_ url: String, from pod: String?, count: Int = 40) async throws -> Set<String> {
        let command = ["curl", "-sS", "--max-time", "5", "\(url)/name?[1-\(count)]"]
        // A connection each: curl would keep one.
        let options = ["-H", "Connection: close"]
        let output =
            if let pod {
                try await cluster.shell.run("kubectl", ["exec", pod, "--"] + command + options)
            } else {
                try await cluster.shell.run("curl", Array(command.dropFirst()) + options)
            }
        return Set(output.split(separator: "\n").map(String.init))
    }

    /// The answer to a query of a pod; empty where there is no such name.
    func lookUp(_ type: String, _ name: String) async throws -> Set<String> {
        let script = try String(contentsOfFile: Repository.root + "Tests/EndToEnd/lookup.py", encoding: .utf8)
        let result = try await cluster.attemptKubectl(
            "exec", "-i", "client-1", "--", "/usr/bin/python3", "-", type, name, input: script)
        #expect(result.status == 0 || result.errors.contains("NXDOMAIN"), "\(result)")
        return Set(result.output.split(separator: "\n").map(String.init))
    }

    func everyAddressLeadsToBothPods() async throws {
        let both: Set = ["web-1", "web-2"]
        for client in ["client-1", "client-2"] {
            for (name, address) in podIPs {
                #expect(try await answers("http://\(address):8080", from: client, count: 2) == [name])
            }
            // Also at the address that the host has for it: one URL serves both.
            for url in [
                "http://\(clusterIP)", "http://web", "http://web.default.svc", "http://alias", "http://\(loadBalancer)",
            ]
                + nodeIPs.map({ "http://\($0):\(nodePort)" })
            {
                #expect(try await answers(url, from: client) == both, "\(url) from \(client)")
            }
        }
        for url in ["http://\(loadBalancer)", "http://127.0.0.1:\(nodePort)"] {
            try await eventually("\(url) leads to both pods") {
                try await answers(url, from: nil) == both
            }
        }
    }

    func namesResolve() async throws {
        let zone = "default.svc.cluster.local"
        let reversed = clusterIP.split(separator: ".").reversed().joined(separator: ".")
        let reversedPod = podIPs["web-1"]?.split(separator: ".").reversed().joined(separator: ".") ?? ""
        let dashed = podIPs["web-1"]?.split(separator: ".").joined(separator: "-") ?? ""
        let answers: [(type: String, name: String, answer: Set<String>)] = [
            ("A", "web.\(zone)", ["A \(clusterIP)"]),
            ("A", "direct.\(zone)", Set(podIPs.values.map { "A \($0)" })),
            ("A", "web-2.direct.\(zone)", ["A \(podIPs["web-2"] ?? "")"]),
            ("A", "alias.\(zone)", ["CNAME web.\(zone)", "A \(clusterIP)"]),
            ("A", "kubernetes.\(zone)", ["A 10.96.0.1"]),
            ("A", "nope.\(zone)", []),
            ("SRV", "_http._tcp.web.\(zone)", ["SRV 0 100 80 web.\(zone)"]),
            (
                "SRV", "_http._tcp.direct.\(zone)",
                ["SRV 0 50 8080 web-1.direct.\(zone)", "SRV 0 50 8080 web-2.direct.\(zone)"]
            ),
            ("PTR", "\(reversed).in-addr.arpa", ["PTR web.\(zone)"]),
            // By the names of each Service that it is behind.
            (
                "PTR", "\(reversedPod).in-addr.arpa", ["PTR web-1.direct.\(zone)", "PTR \(dashed).web.\(zone)"]
            ),
        ]
        for (type, name, answer) in answers {
            let got = try await lookUp(type, name)
            #expect(got == answer, "\(type) \(name)")
        }
        // And as programs ask, by the search paths.
        for name in ["web", "web.default", "web.default.svc", "web.\(zone)"] {
            let line = try await cluster.kubectl("exec", "client-2", "--", "getent", "ahostsv4", name)
            #expect(line.hasPrefix(clusterIP + " "), "\(name): \(line)")
        }
    }

    func onlyReadyPodsAreReached() async throws {
        try await cluster.kubectl("exec", "web-2", "--", "mv", "/www/name", "/www/hidden")
        try await cluster.kubectl("wait", "--for=condition=Ready=false", "pod/web-2", "--timeout=30s")
        let alive: Set = ["web-1"]
        for (url, client) in [("http://web", "client-2"), ("http://\(loadBalancer)", nil)] {
            try await eventually("\(url) leads to the ready pod only") {
                try await answers(url, from: client) == alive
            }
        }
        try await eventually("a headless name too") {
            let answer = try await lookUp("A", "direct.default.svc.cluster.local")
            return answer == ["A \(podIPs["web-1"] ?? "")"]
        }
        try await cluster.kubectl("exec", "web-2", "--", "mv", "/www/hidden", "/www/name")
        try await eventually("both answer again") {
            try await answers("http://web", from: "client-1") == ["web-1", "web-2"]
        }
    }

    func aClientStaysWithOnePod() async throws {
        try await cluster.kubectl("patch", "service", "web", "-p", #"{"spec":{"sessionAffinity":"ClientIP"}}"#)
        for (url, client) in [
            ("http://web", "client-1"), ("http://web", "client-2"), ("http://\(loadBalancer)", nil),
            ("http://127.0.0.1:\(nodePort)", nil),
        ] {
            try await eventually("\(client ?? "the host") stays with one pod at \(url)") {
                try await answers(url, from: client).count == 1
            }
            #expect(try await answers(url, from: client, count: 200).count == 1)
        }
    }
}

/// A name server of the machine, which only the test's cluster sees: the cluster is started in a mount namespace with a
/// resolv.conf of its own.
private struct OutsideNames {
    private let file: String
    private let address = "127.\(Int.random(in: 64...127)).\(Int.random(in: 1...254)).53"

    init(_ cluster: Cluster) throws {
        file = cluster.directory + "/resolv.conf"
        try "nameserver \(address)\n".write(toFile: file, atomically: true, encoding: .utf8)
    }

    /// Answers 192.0.2.7 to every query for an IPv4 address.
    var server: String {
        """
        import socket
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        link.bind(("\(address)", 53))
        while True:
            query, client = link.recvfrom(4096)
            end = query.index(b"\\0", 12) + 5
            record = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\5\\0\\4" + socket.inet_aton("192.0.2.7")
            if query[end - 4:end] != b"\\0\\1\\0\\1": record = b""
            count = bytes([0, 1 if record else 0])
            link.sendto(query[:2] + b"\\x81\\x80\\0\\1" + count + b"\\0\\0\\0\\0" + query[12:end] + record, client)
        """
    }

    func start(_ cluster: Cluster) async throws {
        try await cluster.shell.run(
            "unshare",
            [
                "--mount", "/bin/sh", "-ec", "mount --bind \"$0\" /etc/resolv.conf; exec \"$@\"", file,
                Repository.martlet,
                "start", "--nodes", "2", "--profile", cluster.profile,
            ])
    }
}
