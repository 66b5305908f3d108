import Foundation
import HTTPTypes
import KubernetesModel
import NodeStreams
import Testing

@testable import APIServer

/// What is asked of node agents: `nodes/proxy` and `metrics.k8s.io`.
@Suite struct NodeStatisticsTests {
    /// Serves a node agent's socket while `body` runs. Without a summary it takes requests and never answers.
    private static func agent(_ socket: String, _ summary: JSON?, _ body: () async throws -> Void) async throws {
        let server = try await StreamServer.bind(socket: socket)
        let serving = Task {
            try await server.run { request, incoming in
                guard request == .statistics, let summary else { return try await Task.sleep(for: .seconds(600)) }
                let session = try await incoming.accept()
                try await session.send(.stdout, summary.encoded())
            }
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        serving.cancel()
        try? await serving.value
        try result.get()
    }

    private static func usage(_ nanoseconds: Int, _ bytes: Int) -> JSON {
        ["cpu": ["usageCoreNanoSeconds": JSON(nanoseconds)], "memory": ["workingSetBytes": JSON(bytes)]]
    }

    private static func summary(_ nanoseconds: Int, _ bytes: Int = 0, uid: String = "u") -> JSON {
        var container = usage(nanoseconds, bytes)
        container["name"] = "c"
        return [
            "node": usage(nanoseconds, bytes),
            "pods": [
                ["podRef": ["name": "p", "namespace": "n", "uid": .string(uid)], "containers": [container]]
            ],
        ]
    }

    @Test(
        arguments: [
            (1_000_000_000, 3_000_000_000, 5 << 20, "1000000000n", "5120Ki"), (7, 7, 1023, "0n", "0Ki"),
            // A counter that went back: what it counts has begun anew.
            (3_000_000_000, 1_000_000_000, 2048, "0n", "2Ki"),
        ])
    func usageIsTheDifferenceOverTime(before: Int, after: Int, bytes: Int, cpu: String, memory: String) {
        let measured = MeasuredUsage(Self.summary(before), Self.summary(after, bytes), over: .seconds(2))
        let usage: JSON = ["cpu": .string(cpu), "memory": .string(memory)]
        let node = measured.node("n1")
        #expect(node["usage"] == usage)
        #expect(node.name == "n1" && node.kind == "NodeMetrics" && node["window"] == "2000ms")
        let pods = measured.pods
        #expect(pods.map(\.key) == [ObjectKey(namespace: "n", name: "p")])
        #expect(pods.first?["containers"] == [["name": "c", "usage": usage]])
    }

    /// A pod of the same name is another one: what it has used since then is not known yet.
    @Test func aNewPodHasUsedNothingYet() {
        let measured = MeasuredUsage(
            Self.summary(1, uid: "old"), Self.summary(5_000_000_000, uid: "new"), over: .seconds(1))
        #expect(measured.pods.first?["containers"][0]["usage"]["cpu"] == "0n")
    }

    @Test func theProxyShowsWhatTheKubeletWould() async throws {
        try await TestServer.run { api in
            try await api.client.create(.nodes, Object(.nodes, name: "n1"))
            var pod = Object(.pods, namespace: "default", name: "p")
            pod.spec = ["containers": [["name": "c", "image": "i"]], "nodeName": "n1"]
            try await api.client.create(.pods, pod)
            let proxy = "/api/v1/nodes/n1/proxy"
            let socket = api.server.configuration.runDirectory + "/node-n1.sock"
            #expect(try await api.refusal(.get, "\(proxy)/healthz").code == 503, "no agent is there")
            try await Self.agent(socket, Self.summary(5)) {
                #expect(try await api.send(.get, "\(proxy)/stats/summary").json == Self.summary(5))
                #expect(await api.respond(.get, "\(proxy)/healthz").text == "ok")
                let pods = try await api.send(.get, "/api/v1/nodes/n1:10250/proxy/pods").json
                #expect(pods["items"].items.map { $0["metadata"]["name"] } == ["p"])
                #expect(try await api.refusal(.get, "\(proxy)/other").code == 404)
                #expect(try await api.refusal(.post, "\(proxy)/healthz").code == 405)
                #expect(try await api.refusal(.get, "/api/v1/nodes/n2/proxy/healthz").code == 404)
                let metrics = try await api.send(.get, "/apis/metrics.k8s.io/v1beta1/nodes").json
                #expect(metrics["items"].items.map { $0["usage"]["cpu"] } == ["0n"])
            }
        }
    }

    /// One agent that hangs does not keep those who ask for all of them.
    @Test func anAgentThatHangsIsNotWaitedForLong() async throws {
        let socket = NSTemporaryDirectory() + "agent-\(UUID().uuidString.prefix(8)).sock"
        try await Self.agent(socket, nil) {
            let status = try await #require(throws: Status.self) {
                try await ResourceMetrics.summary(of: socket, within: .milliseconds(100))
            }
            #expect(status.code == 503)
        }
    }
}
