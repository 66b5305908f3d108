import APIClient
import Foundation
import Glibc
import KubernetesModel
import Subprocess

/// What a path costs, as a ratio to the same programs on the host's own loopback in the same run: the figures of a machine
/// that is busy or slow go down together.
extension Bench {
    private static let web = 18_080
    private static let iperf = 15_201
    private static let clients = 5000

    /// From the host to a LoadBalancer address: requests, new connections, much at once both ways, datagrams, many clients.
    func network(_ client: HTTPSClient) async throws -> [Row] {
        guard ["nginx", "iperf3", "wrk"].allSatisfy({ Self.path(of: $0) != nil }) else {
            throw BenchError(text: "the network rows need nginx, iperf3 and wrk: scripts/install-missing bench")
        }
        let service = try await serve(client)
        let host = try Servers(directory)
        defer { host.stop() }
        try await eventually { [try await Self.get("127.0.0.1"), try await Self.get(service)] == [true, true] }
        func ratio(_ name: String, budget: Double, _ measure: (String) async throws -> Double) async throws -> Row {
            let own = try await measure("127.0.0.1")
            return Row(
                "network: \(name), ratio to loopback", try await measure(service) / own, "x", budget: budget,
                reference: "\(Int(own))")
        }
        return [
            try await ratio("requests", budget: 0.5) { try await Self.requests($0) },
            try await ratio("new connections", budget: 0.35) { try await Self.requests($0, "-H", "Connection: close") },
            try await ratio("Mbit/s to the Service", budget: 0.5) { try await Self.megabits($0) },
            try await ratio("Mbit/s from the Service", budget: 0.5) { try await Self.megabits($0, "-R") },
            Row(
                "network: datagrams lost at 500 Mbit/s", try await Self.lost(service), "%", budget: 10,
                reference: "\(try await Self.lost("127.0.0.1")) on loopback"),
            Row(
                "network: slowest of \(Self.clients) connections at once", try Self.slowest(service), "ms",
                budget: 1000, reference: "\(Int(try Self.slowest("127.0.0.1"))) on loopback"),
        ]
    }

    /// A Service of nginx and iperf3.
    ///
    /// - Returns: its address.
    private func serve(_ client: HTTPSClient) async throws -> String {
        var map = Object(.configMaps, namespace: "default", name: "nginx")
        map["data"] = ["nginx.conf": .string(Self.nginxConfiguration(listen: "\(Self.web)", directory: "/tmp"))]
        try await client.create(.configMaps, map)
        var deployment = Object(.deployments, namespace: "default", name: "network")
        deployment.spec = [
            "selector": ["matchLabels": ["app": "network"]],
            "template": [
                "metadata": ["labels": ["app": "network"]],
                "spec": [
                    "terminationGracePeriodSeconds": 0,
                    "containers": [
                        [
                            "name": "nginx", "image": "host",
                            "command": ["nginx", "-c", "/configuration/nginx.conf"],
                            "volumeMounts": [["name": "configuration", "mountPath": "/configuration"]],
                        ],
                        [
                            "name": "iperf", "image": "host",
                            "command": ["iperf3", "-s", "-p", .string("\(Self.iperf)")],
                        ],
                    ],
                    "volumes": [["name": "configuration", "configMap": ["name": "nginx"]]],
                ],
            ],
        ]
        var service = Object(.services, namespace: "default", name: "network")
        service.spec = [
            "type": "LoadBalancer", "selector": ["app": "network"],
            "ports": [
                ["name": "web", "port": JSON(Self.web)], ["name": "iperf", "port": JSON(Self.iperf)],
                ["name": "datagrams", "port": JSON(Self.iperf), "protocol": "UDP"],
            ],
        ]
        try await client.create(.deployments, deployment)
        let created = try await client.create(.services, service)
        var address: String?
        try await eventually {
            let status = try await client.get(.services, created.key).status
            address = status["loadBalancer"]["ingress"].items.first?["ip"].string
            return address != nil
        }
        return address ?? ""
    }

    private static func nginxConfiguration(listen: String, directory: String) -> String {
        let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(directory)/\($0);" }
        return """
            daemon off; worker_processes 1; error_log stderr crit; pid \(directory)/nginx.pid;
            events { worker_connections 10000; }
            http {
                access_log off; keepalive_requests 10000000; \(places.joined(separator: " "))
                server { listen \(listen) backlog=8192; location / { return 200 "hello"; } }
            }
            """
    }

    /// The same programs on the host.
    private final class Servers {
        private var processes: [Process] = []

        init(_ directory: String) throws {
            let file = "\(directory)/nginx.conf"
            let text = Bench.nginxConfiguration(listen: "127.0.0.1:\(Bench.web)", directory: directory)
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            try start("nginx", "-c", file)
            try start("iperf3", "-s", "-B", "127.0.0.1", "-p", "\(Bench.iperf)")
        }

        private func start(_ program: String, _ arguments: String...) throws {
            guard let path = Bench.path(of: program) else { throw BenchError(text: "\(program) is not installed") }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = arguments
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            processes.append(process)
        }

        func stop() {
            for process in processes {
                // nginx ends its workers; iperf3 is deaf to that signal here.
                process.terminate()
                if process.executableURL?.lastPathComponent == "iperf3" { kill(process.processIdentifier, SIGKILL) }
            }
        }
    }

    // MARK: measurements

    private static func requests(_ host: String, _ options: String...) async throws -> Double {
        let text = try await output("wrk", ["-t1", "-c32", "-d3s"] + options + ["http://\(host):\(web)/"])
        let line = text.split(separator: "\n").first { $0.hasPrefix("Requests/sec:") }
        guard let value = line?.split(separator: " ").last.flatMap({ Double($0) }) else {
            throw BenchError(text: "wrk said: \(text)")
        }
        return value
    }

    private static func megabits(_ host: String, _ options: String...) async throws -> Double {
        let end = try await iperf(host, ["-t", "3"] + options)
        guard let bits = end["sum_received"]["bits_per_second"].double else { throw BenchError(text: "\(end)") }
        return bits / 1e6
    }

    private static func lost(_ host: String) async throws -> Double {
        let end = try await iperf(host, ["-t", "3", "-u", "-b", "500M"])
        guard let percent = end["sum"]["lost_percent"].double else { throw BenchError(text: "\(end)") }
        return (percent * 100).rounded() / 100
    }

    private static func iperf(_ host: String, _ options: [String]) async throws -> JSON {
        let text = try await output("iperf3", ["-c", host, "-p", "\(iperf)", "-J"] + options)
        return try JSON(decoding: Array(text.utf8))["end"]
    }

    /// Many clients connect at the same moment, each asks once.
    ///
    /// - Returns: the milliseconds until the last has its answer.
    private static func slowest(_ host: String) throws -> Double {
        try Crowd(clients).run(host, port: web)
    }

    private static func get(_ host: String) async throws -> Bool {
        (try? await output("curl", ["-sf", "-m", "2", "http://\(host):\(web)/"])) == "hello"
    }

    // MARK: programs

    private static func path(of program: String) -> String? {
        ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"].map { "\($0)/\(program)" }
            .first { access($0, X_OK) == 0 }
    }

    private static func output(_ program: String, _ arguments: [String]) async throws -> String {
        guard let path = path(of: program) else { throw BenchError(text: "\(program) is not installed") }
        let result = try await Subprocess.run(
            .path(.init(path)), arguments: .init(arguments), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else {
            throw BenchError(text: "\(program): \(result.standardError)\(result.standardOutput)")
        }
        return result.standardOutput
    }

    private func eventually(_ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while try await !condition() {
            guard ContinuousClock.now < end else { throw BenchError(text: "the network's servers do not answer") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// Clients that connect at the same moment, on one thread.
private struct Crowd {
    private let count: Int

    init(_ count: Int) {
        self.count = count
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    func run(_ host: String, port: Int) throws -> Double {
        let request = "GET / HTTP/1.0\r\n\r\n"
        var clients: [pollfd] = []
        defer { for client in clients where client.fd >= 0 { close(client.fd) } }
        let begin = ContinuousClock.now
        for _ in 0..<count { clients.append(pollfd(fd: try connect(host, port), events: Int16(POLLOUT), revents: 0)) }
        var served = 0
        while served < count {
            guard ContinuousClock.now - begin < .seconds(30) else {
                throw BenchError(text: "\(count - served) of \(count) clients got no answer")
            }
            guard poll(&clients, nfds_t(clients.count), 1000) > 0 else { continue }
            for index in clients.indices where clients[index].revents != 0 {
                let client = clients[index].fd
                if clients[index].events == Int16(POLLOUT) {
                    guard send(client, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count else {
                        throw BenchError(text: "a client was refused")
                    }
                    clients[index].events = Int16(POLLIN)
                    continue
                }
                var byte: UInt8 = 0
                guard recv(client, &byte, 1, 0) == 1 else { throw BenchError(text: "a client got no answer") }
                close(client)
                clients[index].fd = -1
                served += 1
            }
        }
        return (ContinuousClock.now - begin) / .milliseconds(1)
    }

    private func connect(_ host: String, _ port: Int) throws -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr(host)
        address.sin_port = UInt16(port).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard client >= 0, result == 0 || errno == EINPROGRESS else {
            throw BenchError(text: "connect: \(String(cString: strerror(errno)))")
        }
        return client
    }
}
