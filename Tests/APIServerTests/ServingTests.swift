import APIClient
import KubernetesModel
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import APIServer

/// What only the real connection shows.
@Suite struct ServingTests {
    /// An event is sent at once, and an open watch does not hold up the server's end.
    @Test func watchesAreLiveAndEndWithTheServer() async throws {
        let clock = ContinuousClock()
        let ended = try await TestServer.run { kubeconfig, local in
            let client = try HTTPSClient(Kubeconfig(path: kubeconfig))
            let list = try await client.list(.configMaps, namespace: "default")
            var events = client.watch(
                .configMaps, namespace: "default", options: ListOptions(resourceVersion: list.resourceVersion)
            ).makeAsyncIterator()
            var sent = Object(.configMaps, namespace: "default", name: "c")
            sent["data"] = ["a": "b"]
            let created = try await local.create(.configMaps, sent)
            guard case .added(let seen) = try await events.next() else {
                Issue.record("the watch's first event is not the object's creation")
                return clock.now
            }
            #expect(seen == created)
            let moment = clock.now
            // The client goes while its watch is open still.
            await client.shutdown()
            return moment
        }
        #expect(clock.now - ended < .seconds(20))
    }

    /// A client that asks for what was forgotten, or for what is not there yet, is told to list anew.
    @Test func aRevisionOutsideOfHistoryAsksForANewList() async throws {
        try await TestServer.run(history: 4) { api in
            for index in 0..<10 {
                try await api.client.create(
                    .configMaps, Object(.configMaps, namespace: "default", name: "c\(index)"))
            }
            let latest = try await api.client.list(.configMaps).resourceVersion
            let tooNew = String((Int(latest) ?? 0) + 1000)
            for (version, code, reason, message) in [
                ("2", 410, "Expired", "too old resource version: 2 (\(latest))"),
                (tooNew, 504, "Timeout", "Timeout: Too large resource version: \(tooNew), current: \(latest)"),
            ] {
                let status = try await #require(throws: Status.self) {
                    for try await _ in api.client.watch(
                        .configMaps, namespace: nil, options: ListOptions(resourceVersion: version))
                    {}
                }
                #expect(status.code == code && status.reason == reason && status.message == message)
            }
        }
    }

    /// What is there when a watch begins is listed off the event loop, and told in parts.
    @Test func aLongBeginningLeavesTheEventLoopFree() async throws {
        try await TestServer.run { api in
            let count = Objects.maxBatch + 1
            for index in 0..<count {
                try await api.client.create(
                    .configMaps, Object(.configMaps, namespace: "default", name: "c\(index)"))
            }
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let spy = SpyStore(store: api.server.pipeline.objects.store, loop: loop)
            let objects = Objects(
                store: spy, catalogue: .builtIn, allocators: Allocators(services: ServiceAllocation(services: [])),
                admission: AdmissionChain([]))
            let maps = try #require(objects.catalogue.kind(.configMaps))
            let request = WatchRequest(
                resource: ResourceRequest(maps, namespace: "default"), selection: .everything, timeout: .seconds(60))
            let (batches, told) = AsyncStream.makeStream(of: Int.self)
            let watch = Task(executorPreference: EventLoopExecutor(loop)) {
                try await objects.watch(request) { notices in told.yield(notices.count) }
            }
            var parts: [Int] = []
            for await part in batches {
                parts.append(part)
                if parts.reduce(0, +) >= count { break }
            }
            watch.cancel()
            _ = await watch.result
            #expect(parts == [Objects.maxBatch, 1])
            #expect(spy.lists.withLock { $0 } == [false])
        }
    }

    @Test(arguments: [
        ("application/json", "application/json"),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "table"),
        ("application/vnd.kubernetes.protobuf,application/json", "application/json"),
        ("application/yaml", "application/yaml"),
        ("application/json;as=Unknown;v=v1;g=meta.k8s.io, */*", "application/json"),
    ])
    func theFirstFormThatCanBeHadIsChosen(_ accept: String, _ wanted: String) throws {
        let encoding = try Encoding(accept: accept)
        if case .table = encoding.form {
            #expect(wanted == "table")
        } else {
            #expect(encoding.format.contentType == wanted)
        }
    }

    @Test func whatNobodyCanReadIsNotAcceptable() {
        #expect(throws: Status.self) { try Encoding(accept: "application/vnd.kubernetes.protobuf") }
    }
}
