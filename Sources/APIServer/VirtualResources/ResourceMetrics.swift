import ClusterLayout
import KubernetesModel
import NodeStreams

/// `metrics.k8s.io`: the usage of nodes, pods and containers, requested from the node agents on demand.
///
/// A node agent reports the CPU time used so far, so a rate needs two samples. The last one is kept for a minute; where
/// there is none, a request waits for a second one. Without requests nothing is sampled.
actor ResourceMetrics: VirtualResources {
    private struct Sample {
        let taken: ContinuousClock.Instant
        let summary: JSON
    }

    private static let minWindow = Duration.seconds(1)
    private static let maxWindow = Duration.seconds(60)

    private let objects: Objects
    private let runDirectory: String
    private var samples: [String: Sample] = [:]

    init(objects: Objects, runDirectory: String) {
        self.objects = objects
        self.runDirectory = runDirectory
    }

    nonisolated func contain(_ type: ResourceType) -> Bool { type.group == "metrics.k8s.io" }

    func respond(to request: APIRequest, _ resource: ResourceRequest) async throws(Status) -> APIResponse {
        let encoding = try Encoding(accept: request.header(.accept))
        let selection = try Selection(
            labels: request.query["labelSelector"], fields: request.query["fieldSelector"], resource.resource)
        var found: [Object] = []
        for (node, usage) in await measure() {
            found += resource.type.plural == "nodes" ? [usage.node(node)] : usage.pods
        }
        found = found.filter { object in
            (resource.namespace == nil || object.namespace == resource.namespace) && selection.matches(labelled(object))
        }
        if let name = resource.name {
            guard let object = found.first(where: { $0.name == name }) else { throw .notFound(resource.type, name) }
            return encoding.response(encoding.json(object, resource.resource))
        }
        if case .table(let version) = encoding.form {
            return encoding.response(
                Encoding.table(found, resource.resource, metadata: [:], .metadata, version, true))
        }
        return encoding.response([
            "kind": .string(resource.resource.listKind), "apiVersion": .string(resource.type.apiVersion),
            "metadata": [:], "items": .array(found.map(\.json)),
        ])
    }

    /// Metrics are selected by the labels of their node or pod.
    private func labelled(_ metrics: Object) -> Object {
        let subject =
            metrics.kind == "NodeMetrics"
            ? objects.object(.nodes, name: metrics.name)
            : objects.object(.pods, namespace: metrics.namespace, name: metrics.name)
        var labelled = metrics
        labelled.metadata["labels"] = subject?.metadata["labels"] ?? .null
        return labelled
    }

    /// Each node's usage between its last two samples; without nodes that do not answer.
    private func measure() async -> [(String, MeasuredUsage)] {
        let nodes = objects.store.list(prefix: ResourceType.nodes.storePrefix(namespace: nil)).map(\.object.name)
        let now = ContinuousClock.now
        let fresh = nodes.allSatisfy { node in
            samples[node].map { now - $0.taken >= Self.minWindow && now - $0.taken < Self.maxWindow } ?? false
        }
        let earlier = fresh ? samples : await sample(nodes)
        if !fresh { try? await Task.sleep(for: Self.minWindow) }
        let later = await sample(nodes)
        samples = later
        return nodes.compactMap { node in
            guard let before = earlier[node], let after = later[node] else { return nil }
            return (node, MeasuredUsage(before.summary, after.summary, over: after.taken - before.taken))
        }
    }

    private func sample(_ nodes: [String]) async -> [String: Sample] {
        let runDirectory = runDirectory
        return await withTaskGroup(of: (String, Sample)?.self) { group in
            for node in nodes {
                group.addTask {
                    guard let summary = try? await Self.summary(of: NodePaths.socket(of: node, in: runDirectory)) else {
                        return nil
                    }
                    return (node, Sample(taken: .now, summary: summary))
                }
            }
            var found: [String: Sample] = [:]
            for await sample in group { if let sample { found[sample.0] = sample.1 } }
            return found
        }
    }

    /// A node's `/stats/summary`, from its agent's socket.
    ///
    /// - Throws: `ServiceUnavailable` where the agent has not answered within the limit.
    static func summary(of socket: String, within limit: Duration = .seconds(2)) async throws -> JSON {
        try await StreamSession.document(.statistics, from: socket, within: limit)
    }
}

/// The difference of two summaries of a node, as metrics objects.
struct MeasuredUsage: Sendable {
    private let earlier: JSON
    private let later: JSON
    private let seconds: Double

    init(_ earlier: JSON, _ later: JSON, over window: Duration) {
        self.earlier = earlier
        self.later = later
        seconds = max(0.001, Double(window.components.seconds) + Double(window.components.attoseconds) / 1e18)
    }

    func node(_ name: String) -> Object {
        var object = metrics("NodeMetrics", ["name": .string(name)])
        object["usage"] = usage(earlier["node"], later["node"])
        return object
    }

    var pods: [Object] {
        var before: [String: JSON] = [:]
        for pod in earlier["pods"].items { before[pod["podRef"]["uid"].string ?? ""] = pod }
        return later["pods"].items.map { pod in
            let reference = pod["podRef"]
            let known = before[reference["uid"].string ?? ""]?["containers"].items ?? []
            var object = metrics("PodMetrics", ["name": reference["name"], "namespace": reference["namespace"]])
            object["containers"] = .array(
                pod["containers"].items.map { container in
                    let same = known.first { $0["name"] == container["name"] }
                    return ["name": container["name"], "usage": usage(same ?? container, container)]
                })
            return object
        }
    }

    private func metrics(_ kind: String, _ metadata: JSON) -> Object {
        let now = Timestamp.now.description
        var object = Object(["kind": .string(kind), "apiVersion": "metrics.k8s.io/v1beta1", "metadata": metadata])
        object.metadata["creationTimestamp"] = .string(now)
        object["timestamp"] = .string(now)
        object["window"] = .string("\(Int((seconds * 1000).rounded()))ms")
        return object
    }

    private func usage(_ before: JSON, _ after: JSON) -> JSON {
        let used =
            (after["cpu"]["usageCoreNanoSeconds"].double ?? 0) - (before["cpu"]["usageCoreNanoSeconds"].double ?? 0)
        let memory = after["memory"]["workingSetBytes"].int ?? 0
        return ["cpu": .string("\(Int(max(0, used) / seconds))n"), "memory": .string("\(memory / 1024)Ki")]
    }
}
