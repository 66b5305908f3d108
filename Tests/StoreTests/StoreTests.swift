import Foundation
import KubernetesModel
import Testing

@testable import Store

/// A directory that is there for one test.
final class Directory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "store-test-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var database: String { path + "/store.db" }
}

func object(_ name: String, _ value: Int = 0) -> Object {
    Object([
        "kind": "ConfigMap", "apiVersion": "v1", "metadata": ["name": .string(name), "namespace": "default"],
        "data": ["value": .string(String(value)), "quote": "\"metadata\":{\"resourceVersion\":\""],
    ])
}

func key(_ name: String) -> String { "configmaps/default/\(name)" }

@Suite struct StoreTests {
    let directory: Directory

    init() throws { directory = try Directory() }

    func withStore<Result>(
        limits: EventWindow.Limits = .init(), _ body: (SQLiteStore) async throws -> Result
    ) async throws -> Result {
        let store = try SQLiteStore(path: directory.database, limits: limits)
        do {
            let result = try await body(store)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }

    @Test func aWriteGetsItsRevisionIntoTheObjectAndTheText() async throws {
        try await withStore { store in
            let created = try await store.write(key("a"), expecting: .absent, .put(object("a", 1)))
            #expect(created.revision == 2 && created.createRevision == 2)
            let updated = try await store.write(key("a"), expecting: .revision(2), .put(object("a", 2)))
            #expect(updated.revision == 3 && updated.createRevision == 2)
            #expect(updated.object.resourceVersion == "3")
            let text = try JSON(decoding: updated.bytes)
            #expect(text == updated.object.json)
            #expect(store.get(key("a")) === updated)
            let deleted = try await store.write(key("a"), expecting: .revision(3), .delete)
            #expect(deleted.object.resourceVersion == "4" && deleted.object["data"]["value"] == "2")
            let lastText = try JSON(decoding: deleted.bytes)
            #expect(lastText == deleted.object.json)
            #expect(store.get(key("a")) == nil && store.revision == 4)
        }
    }

    @Test func unmetExpectationsChangeNothing() async throws {
        try await withStore { store in
            try await store.write(key("a"), expecting: .absent, .put(object("a")))
            await #expect { try await store.write(key("a"), expecting: .absent, .put(object("a"))) } throws: {
                if case StoreError.alreadyExists(let present) = $0 { present.revision == 2 } else { false }
            }
            await #expect { try await store.write(key("a"), expecting: .revision(1), .delete) } throws: {
                if case StoreError.conflict(let present) = $0 { present.revision == 2 } else { false }
            }
            for expectation in [Expectation.any, .revision(2)] {
                await #expect { try await store.write(key("b"), expecting: expectation, .delete) } throws: {
                    if case StoreError.notFound = $0 { true } else { false }
                }
            }
            #expect(store.revision == 2)
        }
    }

    @Test func oneOfManyConcurrentWritersWins() async throws {
        try await withStore { store in
            try await store.write(key("a"), expecting: .absent, .put(object("a")))
            let won = await withTaskGroup(of: Bool.self) { group in
                for value in 0..<20 {
                    group.addTask {
                        (try? await store.write(key("a"), expecting: .revision(2), .put(object("a", value)))) != nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(won == 1)
        }
    }

    @Test func listsComeInPagesAtOneRevision() async throws {
        try await withStore { store in
            for name in ["c", "a", "b", "d"] {
                try await store.write(key(name), expecting: .absent, .put(object(name)))
            }
            try await store.write("configmaps/default-2/z", expecting: .absent, .put(object("z")))
            try await store.write("configmapsx/default/z", expecting: .absent, .put(object("z")))
            let first = try store.list(prefix: "configmaps/default/", limit: 2, after: nil, at: nil)
            #expect(first.items.map(\.object.name) == ["a", "b"] && first.remaining == 2)
            try await store.write(key("c"), expecting: .any, .delete)
            try await store.write(key("d"), expecting: .any, .put(object("d", 7)))
            try await store.write(key("e"), expecting: .absent, .put(object("e")))
            let second = try store.list(
                prefix: "configmaps/default/", limit: 2, after: first.items.last?.key, at: first.revision)
            #expect(second.items.map(\.object.name) == ["c", "d"] && second.remaining == 0)
            #expect(second.items.last?.object["data"]["value"] == "0")
            #expect(store.list(prefix: "configmaps/").map(\.object.name) == ["z", "a", "b", "d", "e"])
            #expect(store.list(prefix: "").count == 6)
        }
    }

    @Test func aWatchSeesEveryEventOfItsPrefixOnceAndInOrder() async throws {
        try await withStore { store in
            let watch = try store.watch(prefix: "configmaps/default/", after: store.revision)
            let watcher = Task {
                var seen: [StoreEvent] = []
                for try await batch in watch {
                    seen += batch.events
                    if seen.count >= 202 { break }
                }
                return seen
            }
            await withTaskGroup(of: Void.self) { group in
                for name in 0..<200 {
                    group.addTask {
                        _ = try? await store.write(key("\(name)"), expecting: .absent, .put(object("\(name)")))
                        _ = try? await store.write("pods/default/\(name)", expecting: .absent, .put(object("\(name)")))
                    }
                }
            }
            try await store.write(key("0"), expecting: .any, .put(object("0", 1)))
            try await store.write(key("0"), expecting: .any, .delete)
            let seen = try await watcher.value
            #expect(seen.map(\.revision) == seen.map(\.revision).sorted())
            #expect(seen.prefix(200).allSatisfy { $0.kind == .created && $0.previous == nil })
            #expect(seen[200].kind == .modified && seen[200].previous?.object["data"]["value"] == "0")
            #expect(seen[201].kind == .deleted && seen[201].object.object["data"]["value"] == "1")
        }
    }

    @Test func progressTellsAnIdleWatchHowFarItIs() async throws {
        try await withStore { store in
            let watch = try store.watch(prefix: "pods/", after: store.revision)
            let watcher = Task { try await watch.first { _ in true } }
            let last = try await store.write(key("a"), expecting: .absent, .put(object("a")))
            let limit = ContinuousClock.now + .seconds(60)
            let asking = Task {
                while !Task.isCancelled, ContinuousClock.now < limit {
                    watch.requestProgress()
                    try await Task.sleep(for: .milliseconds(1))
                }
            }
            let progress = try await watcher.value
            asking.cancel()
            #expect(progress?.events.isEmpty == true && progress?.revision == last.revision)
        }
    }

    @Test func watchesEndWithTheirTaskAndWithTheStore() async throws {
        try await withStore { store in
            let cancelled = Task {
                for try await _ in try store.watch(prefix: "pods/", after: 1) {}
                return true
            }
            cancelled.cancel()
            let cancelledEnded = try await cancelled.value
            #expect(cancelledEnded)
            let closed = Task {
                for try await _ in try store.watch(prefix: "", after: 1) {}
                return true
            }
            await store.close()
            let closedEnded = try await closed.value
            #expect(closedEnded)
            await #expect { try await store.write(key("a"), expecting: .absent, .put(object("a"))) } throws: {
                if case StoreError.closed = $0 { true } else { false }
            }
        }
    }

    @Test func historyIsBounded() async throws {
        let limits = EventWindow.Limits(count: 10, decoded: 2)
        try await withStore(limits: limits) { store in
            for value in 0..<30 { try await store.write(key("a"), expecting: .any, .put(object("a", value))) }
            #expect(throws: StoreError.self) { try store.watch(prefix: "configmaps/", after: 20) }
            #expect(throws: StoreError.self) { try store.watch(prefix: "configmaps/", after: 32) }
            let then = try store.list(prefix: "configmaps/", limit: nil, after: nil, at: 21)
            #expect(then.items.map(\.revision) == [21] && then.items[0].object["data"]["value"] == "19")
        }
    }
}
