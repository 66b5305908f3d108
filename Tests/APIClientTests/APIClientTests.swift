import KubernetesModel
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import APIClient

@Suite struct InformerTests {
    @Test func theCopyFollowsTheServer() async throws {
        let client = FakeClient()
        client.put("a", ["app": "x"])
        client.state.withLock { $0.failures = 1 }
        let informer = Informer(client, .pods, indexes: ["app": { [$0.labels["app"] ?? ""] }])
        let seen = Mutex<[String]>([])
        informer.addHandler { change in
            let kind =
                switch change {
                case .added: "+"
                case .updated: "~"
                case .deleted: "-"
                }
            seen.withLock { $0.append(kind + change.key.name) }
        }
        let run = Task { await informer.run() }
        await informer.waitForSync()
        #expect(informer.get(namespace: "default", "a") != nil)
        try await eventually("the informer watches") { client.state.withLock { !$0.watchers.isEmpty } }
        client.put("b", ["app": "x"])
        client.put("a", ["app": "y"])
        client.put("c")
        client.remove("b")
        try await eventually("the end of b is seen") { seen.withLock { $0.last == "-b" } }
        #expect(seen.withLock { $0 } == ["+a", "+b", "~a", "+c", "-b"])
        #expect(informer.list(index: "app", "x").isEmpty)
        #expect(informer.list(index: "app", "y").map(\.name) == ["a"])
        #expect(Set(informer.list(namespace: "default").map(\.name)) == ["a", "c"])

        // What happened while nobody watched is found by listing anew, and nothing is told twice.
        client.remove("c", silently: true)
        client.endWatches(Status.expired("too old"))
        try await eventually("the end of c is seen") { seen.withLock { $0.last == "-c" } }
        #expect(seen.withLock { $0.count } == 6)
        run.cancel()
        client.endWatches(nil)
        await run.value
    }
}

@Suite struct WorkQueueTests {
    @Test func aKeyIsQueuedOnceAndNeverWorkedOnTwiceAtATime() async {
        let queue = WorkQueue<String>()
        queue.add("a")
        queue.add("a")
        queue.add("b")
        #expect(queue.count == 2)
        #expect(await queue.next() == "a")
        queue.add("a")
        #expect(queue.count == 1)
        #expect(await queue.next() == "b")
        queue.done("a")
        #expect(await queue.next() == "a")
        queue.done("a")
        queue.done("b")
        #expect(queue.count == 0)
    }

    @Test func delayedKeysComeWhenDueAndOnlyOnce() async {
        let queue = WorkQueue<String>()
        let run = Task { await queue.run() }
        let start = ContinuousClock.now
        queue.add("a", after: .seconds(600))
        queue.add("a", after: .milliseconds(20))
        #expect(await queue.next() == "a")
        #expect(ContinuousClock.now - start >= .milliseconds(20))
        queue.done("a")
        run.cancel()
        await run.value
        #expect(await queue.next() == nil)
    }

    @Test func aCancelledWorkerLeaves() async {
        let queue = WorkQueue<String>()
        let worker = Task { await queue.next() }
        worker.cancel()
        #expect(await worker.value == nil)
    }
}

@Suite struct ControllerTests {
    final class Flaky: Reconciler {
        let calls = Mutex<[String: Int]>([:])

        func reconcile(_ key: ObjectKey) async throws -> Requeue? {
            let call = calls.withLock { calls in
                calls[key.name, default: 0] += 1
                return calls[key.name] ?? 0
            }
            if key.name == "fails", call < 4 { throw Status.internalError("not now") }
            if key.name == "again", call < 3 { return .after(.milliseconds(1)) }
            return nil
        }
    }

    @Test func failedAndRequeuedKeysComeBack() async throws {
        let reconciler = Flaky()
        let controller = ControlLoop(name: "test", reconciler: reconciler)
        let run = Task { await controller.run() }
        for name in ["fails", "again", "works"] { controller.queue.add(ObjectKey(name: name)) }
        try await eventually("the keys came back") {
            reconciler.calls.withLock { $0 } == ["fails": 4, "again": 3, "works": 1]
        }
        run.cancel()
        await run.value
    }
}

@Suite struct EventTests {
    @Test func theSameEventIsCountedAndManyAlikeAreCombined() async throws {
        let client = FakeClient()
        let recorder = EventRecorder(client, component: "test")
        let run = Task { await recorder.run() }
        let pod = Object(.pods, namespace: "default", name: "a")
        for _ in 0..<3 { recorder.record(pod, .warning, reason: "BackOff", message: "same") }
        func events() -> [Object] { client.state.withLock { Array($0.objects.values) } }
        try await eventually("one event is counted") { events().first?["count"].int == 3 }
        #expect(events().count == 1)
        for number in 0..<15 { recorder.record(pod, reason: "Alike", message: "\(number)") }
        try await eventually("some are combined") { events().contains { $0["count"].int == 5 } }
        #expect(events().count == 12)
        run.cancel()
        await run.value
    }

    @Test func anObjectThatSpamsLosesTheRest() {
        var correlator = EventCorrelator()
        let passed = (0..<100).filter { number in
            let occurrence = EventRecorder.Occurrence(
                reference: ["name": "a"], kind: .normal, reason: "R\(number)", message: "", moment: .now)
            return correlator.correlate(occurrence) != nil
        }
        #expect(passed.count == 25)
    }
}

@Suite struct DecodingTests {
    @Test(arguments: [1, 3, 7, 100]) func linesComeWholeHoweverTheyAreCut(_ size: Int) {
        let text = Array("{\"a\":1}\n\n{\"b\":2}\n{\"c\":3}".utf8)
        var splitter = LineSplitter()
        var lines: [String] = []
        for start in stride(from: 0, to: text.count, by: size) {
            let part = ByteBuffer(bytes: text[start..<min(start + size, text.count)])
            lines += splitter.feed(part).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(lines == ["{\"a\":1}", "{\"b\":2}"])
    }

    @Test func anErrorEventIsThrown() {
        let line = ByteBuffer(string: "{\"type\":\"ERROR\",\"object\":\(Status.expired("old").json)}").readableBytesView
        #expect(throws: Status.expired("old")) { try WatchEvent(line: line) }
    }

    @Test func parametersAreEncoded() {
        #expect(percentEncoded("app in (a,b),x!=ü") == "app%20in%20%28a%2Cb%29%2Cx%21%3D%C3%BC")
    }
}
