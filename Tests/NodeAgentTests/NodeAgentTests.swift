import ClusterLayout
import Glibc
import InMemoryClient
import KubernetesModel
import Linux
import Logging
import PodRuntime
import TestSupport
import Testing

@testable import NodeAgent

/// A pod as the API would have it after its defaults.
func makePod(_ name: String = "web", spec: JSON) -> Object {
    var pod = Object(.pods, namespace: "default", name: name)
    pod.metadata["uid"] = .string("uid-\(name)")
    pod.metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
    pod.spec = spec
    if pod.spec["restartPolicy"].isNull { pod.spec["restartPolicy"] = "Always" }
    pod.spec["nodeName"] = "node-1"
    return pod
}

/// The whole agent against an API in memory and a runtime without processes.
@Suite struct NodeAgentTests {
    /// What one test works with; `agent` runs a node agent while its body does, as often as it is called.
    struct Node: Sendable {
        let client = InMemoryClient(nodesConfirmDeletion: true)
        let runtime = FakeRuntime()
        let directory: String

        func agent(
            clock: any Clock<Duration> = ContinuousClock(), _ body: @Sendable () async throws -> Void
        ) async throws {
            let configuration = NodeAgentConfiguration(
                nodeName: "node-1", index: 1, shape: NodeShape(labels: ["disk": "ssd"], zone: "z1"),
                clusterName: "test",
                stateDirectory: directory, runDirectory: directory, kubeconfig: "", imageDirectory: "", initPath: "")
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let agent = NodeAgent(configuration, logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [client, runtime] in
                    do {
                        try await agent.serve(client: client, runtime: runtime, images: FakeImages(), clock: clock)
                        #expect(Task.isCancelled, "the agent ends when it is asked to, not before")
                    } catch {
                        #expect(Task.isCancelled, "the agent failed: \(error)")
                    }
                }
                defer { group.cancelAll() }
                try await body()
            }
        }

        func hasEvent(_ reason: String) -> Bool { client.all(.events).contains { $0["reason"].string == reason } }
        func pod(_ name: String = "web") -> Pod? { client.object(.pods, name).map(Pod.init) }
    }

    private func withNode(_ body: (Node) async throws -> Void) async throws {
        var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { try? removeTree(directory) }
        try await body(Node(directory: directory))
    }

    static let simple: JSON = ["containers": [["name": "a", "image": "host", "command": ["run"]]]]

    @Test func theNodeRegistersAndKeepsItsLease() async throws {
        try await withNode { node in
            try await node.agent {
                try await eventually("the lease is there") {
                    node.client.object(.leases, "node-1", namespace: "kube-node-lease") != nil
                }
                let object = try #require(node.client.object(.nodes, "node-1"))
                #expect(object.labels["topology.kubernetes.io/zone"] == "z1")
                #expect(object.labels["disk"] == "ssd")
                #expect(object.spec["podCIDR"] == "10.244.1.0/24")
                #expect(object.isConditionTrue("Ready"))
            }
        }
    }

    @Test func aPodComesUpWithOneWriteAndGoesWhenDeleted() async throws {
        try await withNode { node in
            try await node.agent(clock: StandingClock()) {
                try await node.client.create(.pods, makePod(spec: Self.simple), namespace: "default", subresource: nil)
                try await eventually("the pod is ready") { node.pod()?.isReady == true }
                #expect(node.pod()?.podIP == "10.244.1.2")
                #expect(node.client.writes["patch pods/status"] == 1, "as no time passes on the way")
                #expect(node.runtime.started.map(\.arguments) == [["run"]])

                try await node.client.delete(.pods, namespace: "default", name: "web", options: .init())
                try await eventually("the pod is gone") { node.pod() == nil }
                #expect(node.runtime.signals == [SIGTERM])
                #expect(node.runtime.pods.isEmpty)
            }
        }
    }

    @Test(arguments: [("run", [SIGTERM]), ("stubborn", [SIGTERM, SIGKILL])])
    func aPodThatIsGoneFromTheAPIIsAskedToEnd(command: String, signals: [Int32]) async throws {
        try await withNode { node in
            try await node.agent {
                let spec: JSON = ["containers": [["name": "a", "image": "host", "command": [.string(command)]]]]
                try await node.client.create(.pods, makePod(spec: spec), namespace: "default", subresource: nil)
                try await eventually("the pod is ready") { node.pod()?.isReady == true }
                try await node.client.delete(
                    .pods, namespace: "default", name: "web", options: .init(gracePeriodSeconds: 0))
                try await eventually("its sandbox is removed") { node.runtime.pods.isEmpty }
                #expect(node.runtime.signals == signals)
            }
        }
    }

    @Test(
        "a hook has until the end of the grace period, also of one that is shortened meanwhile",
        arguments: [(hook: 1, grace: 50, least: 1.0), (hook: 60, grace: 1, least: 0.9)])
    func aPreStopHookOutlivesAShorterGracePeriod(_ row: (hook: Int, grace: Int, least: Double)) async throws {
        try await withNode { node in
            try await node.agent {
                var spec = Self.simple
                spec["containers"][0]["lifecycle"] = ["preStop": ["sleep": ["seconds": JSON(row.hook)]]]
                try await node.client.create(.pods, makePod(spec: spec), namespace: "default", subresource: nil)
                try await eventually("the pod is ready") { node.pod()?.isReady == true }
                let began = ContinuousClock.now
                try await node.client.delete(
                    .pods, namespace: "default", name: "web", options: .init(gracePeriodSeconds: 60))
                try await eventually("the pod is being stopped") { node.hasEvent("Killing") }
                try await node.client.delete(
                    .pods, namespace: "default", name: "web", options: .init(gracePeriodSeconds: row.grace))
                try await eventually("the program is told to end") { !node.runtime.signals.isEmpty }
                #expect(ContinuousClock.now - began >= .seconds(row.least))
                try await eventually("the pod is gone") { node.pod() == nil }
                #expect(node.runtime.signals == [SIGTERM])
                #expect(!node.hasEvent("FailedPreStopHook"), "a hook that is given up has not failed")
            }
        }
    }

    @Test func aNewAgentContinuesWhereTheOldOneWas() async throws {
        try await withNode { node in
            try await node.agent {
                try await node.client.create(.pods, makePod(spec: Self.simple), namespace: "default", subresource: nil)
                try await eventually("the pod is ready") { node.pod()?.isReady == true }
                let uid = try #require(node.pod()).object.uid
                node.runtime.end(ContainerID(podUID: uid, name: "a", restart: 0), code: 1)
                try await eventually("it runs again") {
                    node.pod()?.containerStatuses.first?["restartCount"] == 1 && node.pod()?.isReady == true
                }
            }
            let uid = try #require(node.pod()).object.uid
            try await node.agent {
                // A change that only a living agent makes tells that it has taken over.
                try await node.client.create(
                    .pods, makePod("other", spec: Self.simple), namespace: "default", subresource: nil)
                try await eventually("the other pod is ready") { node.pod("other")?.isReady == true }
                #expect(node.pod("other")?.podIP == "10.244.1.3", "the first one's address is still taken")
                #expect(node.runtime.started.filter { $0.id.podUID == uid }.count == 2, "nothing was started again")
                #expect(node.pod()?.containerStatuses.first?["restartCount"] == 1)
            }
        }
    }

    @Test func aVolumeFollowsItsConfigMap() async throws {
        try await withNode { node in
            var map = Object(.configMaps, namespace: "default", name: "settings")
            map["data"] = ["key": "old"]
            try await node.client.create(.configMaps, map, namespace: "default", subresource: nil)
            var spec = Self.simple
            spec["volumes"] = [["name": "v", "configMap": ["name": "settings"]]]
            spec["containers"][0]["volumeMounts"] = [["name": "v", "mountPath": "/v"]]
            let pod = makePod(spec: spec)
            try await node.agent {
                try await node.client.create(.pods, pod, namespace: "default", subresource: nil)
                try await eventually("the pod is ready") { node.pod()?.isReady == true }
                let mount = try #require(node.runtime.started.first?.mounts.first { $0.target == "/v" })
                guard case .path(let path) = mount.source else { return }
                #expect(mount.readOnly)
                #expect(try readFile("\(path)/key") == "old")
                try await node.client.patch(
                    .configMaps, namespace: "default", name: "settings", subresource: nil,
                    .merge(["data": ["key": "new"]]))
                try await eventually("the file has the new text") { (try? readFile("\(path)/key")) == "new" }
            }
        }
    }

    @Test(
        arguments: [
            (nil, nil, false), (true, nil, true), (nil, true, true), (false, true, true), (true, false, true),
        ] as [(Bool?, Bool?, Bool)])
    func processesAreSharedWhereEitherFieldSaysSo(own: Bool?, host: Bool?, shared: Bool) async throws {
        try await withNode { node in
            try await node.agent {
                var spec = Self.simple
                if let own { spec["shareProcessNamespace"] = .bool(own) }
                if let host { spec["hostPID"] = .bool(host) }
                try await node.client.create(.pods, makePod(spec: spec), namespace: "default", subresource: nil)
                try await eventually("the sandbox starts") { !node.runtime.configurations.isEmpty }
                #expect(node.runtime.configurations.map(\.sharesProcesses) == [shared])
            }
        }
    }

    /// A debugger of a program that has ended, while another keeps the pod running.
    @Test func aDebuggerWaitsForItsTarget() async throws {
        try await withNode { node in
            try await node.agent {
                let containers = ["a", "b"].map { ["name": .string($0), "image": "host", "command": ["run"]] as JSON }
                let spec: JSON = ["restartPolicy": "Never", "containers": .array(containers)]
                try await node.client.create(.pods, makePod(spec: spec), namespace: "default", subresource: nil)
                try await eventually("the pod is ready") { node.pod()?.isReady == true }
                let uid = try #require(node.pod()).object.uid
                node.runtime.end(ContainerID(podUID: uid, name: "a", restart: 0), code: 1)
                try await eventually("its end is told") {
                    node.pod()?.containerStatuses.first?["state"]["terminated"]["exitCode"] == 1
                }
                try await node.client.patch(
                    .pods, namespace: "default", name: "web", subresource: nil,
                    .merge([
                        "spec": [
                            "ephemeralContainers": [
                                ["name": "d", "image": "host", "command": ["run"], "targetContainerName": "a"]
                            ]
                        ]
                    ]))
                try await eventually("the debugger says what it waits for") {
                    let status = node.pod()?.object.status["ephemeralContainerStatuses"][0]["state"]["waiting"]
                    return status?["reason"] == "CreateContainerError"
                        && status?["message"] == "invalid target container: container \"a\" is not running"
                }
                #expect(!node.runtime.started.contains { $0.id.name == "d" })
            }
        }
    }

    @Test(
        arguments: [
            ("gone", ["run"], "ErrImagePull"), ("host", ["nope"], "CrashLoopBackOff"),
        ] as [(String, [String], String)])
    func whatCannotStartSaysWhy(image: String, command: [String], reason: String) async throws {
        try await withNode { node in
            try await node.agent {
                let spec: JSON = [
                    "containers": [["name": "a", "image": .string(image), "command": JSON(command)]]
                ]
                try await node.client.create(.pods, makePod(spec: spec), namespace: "default", subresource: nil)
                try await eventually("the container waits with \(reason)") {
                    node.pod()?.containerStatuses.first?["state"]["waiting"]["reason"].string == reason
                }
            }
        }
    }
}

/// A clock on which no moment ever comes.
private struct StandingClock: Clock {
    struct Instant: InstantProtocol {
        var offset = Duration.zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    var now: Instant { Instant() }
    var minimumResolution: Duration { .nanoseconds(1) }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await Task.sleep(for: .seconds(1_000_000))
    }
}
