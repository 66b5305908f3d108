import Foundation
import GRDB
import KubernetesModel
import Testing

@testable import Store

@Suite struct DurabilityTests {
    let directory: Directory

    init() throws { directory = try Directory() }

    @Test func stateHistoryAndRevisionSurvive() async throws {
        let store = try SQLiteStore(path: directory.database)
        for name in ["a", "b"] { try await store.write(key(name), expecting: .absent, .put(object(name))) }
        try await store.write(key("a"), expecting: .any, .put(object("a", 1)))
        try await store.write(key("b"), expecting: .any, .delete)
        await store.close()

        let again = try SQLiteStore(path: directory.database)
        #expect(again.revision == 5)
        #expect(again.list(prefix: "configmaps/").map(\.revision) == [4])
        let watch = try again.watch(prefix: "configmaps/", after: 3)
        let batch = try await watch.first { _ in true }
        #expect(batch?.events.map(\.kind) == [.modified, .deleted])
        #expect(batch?.events.first?.previous?.revision == 2)
        #expect(batch?.events.last?.object.object.resourceVersion == "5")
        await again.close()
    }

    @Test func trimmedHistoryKeepsTheRevisionAndTheState() async throws {
        let limits = EventWindow.Limits(count: 3)
        let store = try SQLiteStore(path: directory.database, limits: limits)
        for value in 0..<400 {
            try await store.write(key("a"), expecting: .any, .put(object("a", value)))
            try await store.write(key("b"), expecting: .any, .put(object("b", value)))
            try await store.write(key("b"), expecting: .any, .delete)
        }
        let last = store.revision
        await store.close()

        let rows = try await DatabaseQueue(path: directory.database).read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM revisions")
        }
        #expect((rows ?? 0) < 600)
        let again = try SQLiteStore(path: directory.database, limits: limits)
        #expect(again.revision == last)
        #expect(again.list(prefix: "").map(\.object["data"]["value"]) == ["399"])
        await again.close()
    }

    @Test func nothingAcknowledgedIsLostWhenTheProcessDies() async throws {
        let store = try SQLiteStore(path: directory.database)
        for name in 0..<50 { try await store.write(key("\(name)"), expecting: .absent, .put(object("\(name)"))) }
        // The files as a kill would leave them: nothing is flushed or checkpointed by closing.
        let copy = try Directory()
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: directory.database + suffix, toPath: copy.database + suffix)
        }
        await store.close()
        let again = try SQLiteStore(path: copy.database)
        #expect(again.list(prefix: "").count == 50 && again.revision == 51)
        await again.close()
    }

    enum Fault: CaseIterable {
        case noDirectory, isDirectory, noDatabase, tornPage, newerSchema
    }

    @Test(arguments: Fault.allCases) func aFaultyDatabaseIsAnErrorWithFileAndRemedy(_ fault: Fault) async throws {
        var path = directory.database
        switch fault {
        case .noDirectory: path = directory.path + "/none/store.db"
        case .isDirectory: path = directory.path
        case .noDatabase: try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: path))
        case .tornPage:
            let store = try SQLiteStore(path: path)
            for name in 0..<200 { try await store.write(key("\(name)"), expecting: .absent, .put(object("\(name)"))) }
            await store.close()
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.seek(toOffset: 4096)
            try handle.write(contentsOf: Data(repeating: 0xFF, count: 8192))
            try handle.close()
        case .newerSchema:
            try await DatabaseQueue(path: path).write { try $0.execute(sql: "PRAGMA user_version = 99") }
        }
        #expect {
            _ = try SQLiteStore(path: path)
        } throws: { error in
            guard case StoreError.unavailable(let file, let problem, let remedy) = error else { return false }
            return file == path && !problem.isEmpty && !remedy.isEmpty
        }
    }

    @Test func aSecondProcessIsRefused() async throws {
        let store = try SQLiteStore(path: directory.database)
        #expect(throws: StoreError.self) { _ = try SQLiteStore(path: directory.database) }
        await store.close()
    }
}
