import APIClient
import KubernetesModel

extension Bench {
    private static let path = "/api/v1/namespaces/default/configmaps"

    /// Requests by sixteen clients, and a long list. The clients share the machine.
    func api(_ client: HTTPSClient) async throws -> [Row] {
        let kubeconfig = try Kubeconfig(path: directory + "/kubeconfig")
        let server = try LoadServer(kubeconfig)
        let creates = try await server.load(clients: 16, seconds: 4) { client, count in
            Self.creation("c-\(client)-\(count)")
        }
        let gets = try await server.load(clients: 16, seconds: 4) { client, _ in
            LoadServer.Request(path: "\(Self.path)/c-\(client)-0")
        }
        let decoded = try await decodedGets(kubeconfig, clients: 16, seconds: 4)
        var lists: [Double] = []
        for _ in 0..<10 {
            lists.append(
                try await milliseconds { _ = try await client.send(.GET, Self.path, query: [("limit", "2000")]) })
        }
        return [
            Row("api: create/s, 16 clients, 1 kB", creates.perSecond, "1/s", budget: 4000, reference: "1330"),
            Row("api: get/s, 16 clients, 1 kB", gets.perSecond, "1/s", budget: 8000, reference: "2769"),
            Row("api: get/s, 16 clients, 1 kB, by HTTP/2 and decoded", decoded, "1/s", budget: nil, reference: "-"),
            Row("api: list of 2000, median of 10", lists.median, "ms", budget: 15, reference: "57 ms"),
        ]
    }

    private static let payload = String(repeating: "x", count: 800)

    /// Creates a ConfigMap of about 1 kB.
    private static func creation(_ name: String) -> LoadServer.Request {
        let metadata = #"{"name":"\#(name)","namespace":"default"}"#
        return LoadServer.Request(
            method: .POST, path: path,
            body: #"{"apiVersion":"v1","kind":"ConfigMap","metadata":\#(metadata),"data":{"payload":"\#(payload)"}}"#)
    }

    /// How many objects a second Martlet's own clients get and decode, each on a connection of its own.
    private func decodedGets(_ kubeconfig: Kubeconfig, clients: Int, seconds: Double) async throws -> Double {
        let begin = ContinuousClock.now
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<clients {
                let client = try HTTPSClient(kubeconfig)
                group.addTask {
                    var count = 0
                    while ContinuousClock.now - begin < .seconds(seconds) {
                        _ = try await client.get(.configMaps, namespace: "default", name: "c-\(index)-0")
                        count += 1
                    }
                    await client.shutdown()
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(count) / ((ContinuousClock.now - begin) / .seconds(1))
    }

    /// Changes by eight clients, and the events that a hundred watchers get of them, until each has got them all.
    func watch(_ client: HTTPSClient) async throws -> [Row] {
        let clients = 8
        let watchers = 100
        let server = try LoadServer(Kubeconfig(path: directory + "/kubeconfig"))
        for index in 0..<clients { try await server.once(Self.creation("w-\(index)")) }
        let revision = try await client.list(.configMaps, namespace: "default", options: ListOptions(limit: 1))
            .resourceVersion
        let seen = EventCount()
        let channels = try await server.watch(
            watchers, "\(Self.path)?watch=true&resourceVersion=\(revision)", seen: seen)
        let begin = ContinuousClock.now
        let patches = try await server.load(clients: clients, seconds: 4) { client, count in
            LoadServer.Request(
                method: .PATCH, path: "\(Self.path)/w-\(client)", contentType: "application/merge-patch+json",
                body: #"{"data":{"count":"\#(count)"}}"#)
        }
        let expected = patches.count * watchers
        while seen.current < expected {
            guard ContinuousClock.now - begin < .seconds(30) else {
                throw BenchError(text: "of \(expected) events the watchers got only \(seen.current)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        let events = Double(seen.current) / ((ContinuousClock.now - begin) / .seconds(1))
        for channel in channels { channel.close(promise: nil) }
        return [
            Row("watch: patch/s under 100 watchers", patches.perSecond, "1/s", budget: 1000, reference: "333"),
            Row("watch: events/s to 100 watchers", events, "1/s", budget: 100_000, reference: "33000"),
        ]
    }
}
