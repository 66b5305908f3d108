import APIClient
import Foundation
import KubernetesModel
import Synchronization

extension Bench {
    private func configMap(_ name: String) -> Object {
        var object = Object(.configMaps, namespace: "default", name: name)
        object["data"] = ["payload": .string(String(repeating: "x", count: 800))]
        return object
    }

    /// How many times a second `clients` together do `operation`, over some seconds.
    private func rate(
        clients: Int, seconds: Double, _ operation: @escaping @Sendable (Int, Int) async throws -> Void
    ) async throws -> Double {
        let begin = ContinuousClock.now
        let done = try await withThrowingTaskGroup(of: Int.self) { group in
            for client in 0..<clients {
                group.addTask {
                    var count = 0
                    while ContinuousClock.now - begin < .seconds(seconds) {
                        try await operation(client, count)
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(done) / ((ContinuousClock.now - begin) / .seconds(1))
    }

    /// Requests by sixteen clients, a long list, and changes under a hundred watchers. The clients share the machine.
    func api(_ client: HTTPSClient) async throws -> [Row] {
        let clients = try connections(16)
        let creates = try await rate(clients: 16, seconds: 4) { worker, count in
            try await clients[worker].create(.configMaps, self.configMap("c-\(worker)-\(count)"))
        }
        let gets = try await rate(clients: 16, seconds: 4) { worker, _ in
            _ = try await clients[worker].get(.configMaps, namespace: "default", name: "c-\(worker)-0")
        }
        var lists: [Double] = []
        for _ in 0..<10 {
            lists.append(
                try await milliseconds {
                    _ = try await client.send(
                        .GET, "/api/v1/namespaces/default/configmaps", query: [("limit", "2000")])
                })
        }
        let (patches, events) = try await watched(clients)
        for client in clients { await client.shutdown() }
        return [
            Row(name: "api: create/s, 16 clients, 1 kB", value: creates, unit: "1/s", budget: 4000, reference: "1330"),
            Row(name: "api: get/s, 16 clients, 1 kB", value: gets, unit: "1/s", budget: 8000, reference: "2769"),
            Row(
                name: "api: list of 2000, median of 10", value: lists.median, unit: "ms", budget: 15, reference: "57 ms"
            ),
            Row(name: "api: patch/s under 100 watchers", value: patches, unit: "1/s", budget: 1000, reference: "333"),
            Row(name: "api: watch events/s", value: events, unit: "1/s", budget: 100_000, reference: "33000"),
        ]
    }

    /// Clients with connections of their own.
    private func connections(_ count: Int) throws -> [HTTPSClient] {
        let kubeconfig = try Kubeconfig(path: folder + "/kubeconfig")
        return try (0..<count).map { _ in try HTTPSClient(kubeconfig) }
    }

    private func watched(_ clients: [HTTPSClient]) async throws -> (patches: Double, events: Double) {
        let seen = Counter()
        let watchers = try connections(25)
        let revision = try await clients[0].list(.configMaps, namespace: "default", options: ListOptions(limit: 1))
            .resourceVersion
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<100 {
                group.addTask {
                    let client = watchers[index % watchers.count]
                    let options = ListOptions(resourceVersion: revision)
                    for try await _ in client.watch(.configMaps, namespace: "default", options: options) {
                        seen.value.withLock { $0 += 1 }
                    }
                }
            }
            try await Task.sleep(for: .milliseconds(500))
            let begin = ContinuousClock.now
            let patches = try await rate(clients: 8, seconds: 4) { worker, count in
                _ = try await clients[worker].patch(
                    .configMaps, namespace: "default", name: "c-\(worker)-0", subresource: nil,
                    .merge(["data": ["count": .string("\(count)")]]))
            }
            let events = Double(seen.value.withLock { $0 }) / ((ContinuousClock.now - begin) / .seconds(1))
            group.cancelAll()
            // A watch that is cancelled ends as it may.
            while let ended = await group.nextResult() { _ = ended }
            for watcher in watchers { await watcher.shutdown() }
            return (patches, events)
        }
    }
}

private final class Counter: Sendable {
    let value = Mutex(0)
}
