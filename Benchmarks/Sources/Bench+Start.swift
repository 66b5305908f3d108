import APIClient
import Glibc
import KubernetesModel
import NIOSSL

extension Bench {
    /// Nothing → the API answers, and nothing → the cluster is Ready, five times.
    func start() async throws -> [Row] {
        var answers: [Double] = []
        var ready: [Double] = []
        for _ in 0..<5 {
            let port = try Self.freePort()
            let begin = ContinuousClock.now
            async let answered = answer(port: port, since: begin)
            try await command("start", "--api-port", String(port))
            ready.append((ContinuousClock.now - begin) / .milliseconds(1))
            answers.append(try await answered)
            try await command("delete")
        }
        return [
            Row(
                "start: nothing to API answers, median of 5", answers.median, "ms", budget: 200, reference: "3.1-5.3 s"),
            Row("start: nothing to node Ready, median of 5", ready.median, "ms", budget: 500, reference: "19-22 s"),
        ]
    }

    /// The milliseconds after `begin` at which the API says that it is ready.
    private func answer(port: Int, since begin: ContinuousClock.Instant) async throws -> Double {
        var tls = TLSConfiguration.makeClientConfiguration()
        // The cluster's authority does not exist yet.
        tls.certificateVerification = .none
        let server = try LoadServer(host: "127.0.0.1", port: port, tls)
        while true {
            do {
                try await server.once(LoadServer.Request(path: "/readyz"))
                return (ContinuousClock.now - begin) / .milliseconds(1)
            } catch {
                guard ContinuousClock.now - begin < .seconds(30) else { throw error }
                try await Task.sleep(for: .milliseconds(1))
            }
        }
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard bound else { throw BenchError(text: "no free port: \(String(cString: strerror(errno)))") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// What minikube's time-to-k8s adds up: start, the API answers, its Service and that of DNS are there, a Deployment
    /// with a Service runs, and a pod finds that by name. Three times.
    func timeToKubernetes() async throws -> [Row] {
        var times: [Double] = []
        for _ in 0..<3 {
            times.append(
                try await milliseconds {
                    try await command("start")
                    let client = try HTTPSClient(Kubeconfig(path: directory + "/kubeconfig"))
                    try await client.send(.GET, "/version")
                    _ = try await client.get(.services, namespace: "default", name: "kubernetes")
                    _ = try await client.get(.services, namespace: "kube-system", name: "kube-dns")
                    try await runApp(client)
                    try await resolve("app.default.svc.cluster.local", client)
                    await client.shutdown()
                })
            try await command("delete")
        }
        return [
            Row(
                "time-to-k8s: start to DNS answering, median of 3", times.median / 1000, "s", budget: 1.5,
                reference: "19.9-50.8 s")
        ]
    }

    private func runApp(_ client: HTTPSClient) async throws {
        var app = Object(.deployments, namespace: "default", name: "app")
        app.spec = [
            "selector": ["matchLabels": ["app": "app"]],
            "template": ["metadata": ["labels": ["app": "app"]], "spec": ["containers": [Self.container]]],
        ]
        var service = Object(.services, namespace: "default", name: "app")
        service.spec = ["selector": ["app": "app"], "ports": [["port": 80]]]
        try await client.create(.deployments, app)
        try await client.create(.services, service)
        try await untilPod(client, "metadata.namespace=default", labels: "app=app", Self.isReady)
    }

    /// A pod that resolves `name` and ends.
    private func resolve(_ name: String, _ client: HTTPSClient) async throws {
        var pod = Object(.pods, namespace: "default", name: "resolve")
        pod.spec = [
            "restartPolicy": "Never",
            "containers": [["name": "resolve", "image": "host", "command": ["getent", "hosts", .string(name)]]],
        ]
        try await client.create(.pods, pod)
        try await untilPod(client, "metadata.name=resolve", labels: nil) { pod in
            guard pod.status["phase"] != "Failed" else { throw BenchError(text: "\(name) does not resolve in a pod") }
            return pod.status["phase"] == "Succeeded"
        }
    }

    private func untilPod(
        _ client: HTTPSClient, _ fields: String, labels: String?, _ condition: (Object) throws -> Bool
    ) async throws {
        let options = ListOptions(labelSelector: labels, fieldSelector: fields, resourceVersion: "0")
        for try await event in client.watch(.pods, namespace: "default", options: options) {
            switch event {
            case .added(let pod), .modified(let pod): if try condition(pod) { return }
            case .deleted, .bookmark: continue
            }
        }
        throw BenchError(text: "the watch of pods with \(labels ?? fields) ended")
    }
}
