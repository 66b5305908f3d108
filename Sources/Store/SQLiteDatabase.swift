import Foundation
import GRDB
import KubernetesModel

/// The store's file: every version that is current or in the recent history, one row each.
///
/// Appending a row at the end of one table without further indexes is the cheapest write that SQLite has. A row is
/// dropped when the event that superseded it has left the window, so each event in the file has its predecessor there.
struct SQLiteDatabase: Sendable {
    let path: String
    private let queue: DatabaseQueue

    /// Raised with each change of the tables that older code cannot read.
    private static let schemaVersion = 1

    /// Opens the file, or makes it, and checks that it is sound and can be written.
    init(path: String) throws(StoreError) {
        self.path = path
        do {
            var configuration = Configuration()
            configuration.label = "martlet.store"
            // Another process that ends just now lets go within this time.
            configuration.busyMode = .timeout(2)
            configuration.prepareDatabase { database in
                // Exclusive: one writer, also across processes; the kernel lifts it when the process dies.
                try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
                // Not by `Configuration.journalMode`, which would set `synchronous` to NORMAL after this.
                try database.execute(sql: "PRAGMA journal_mode = WAL")
                // FULL: a commit returns when it is on disk, not when it would survive only a crash of this process.
                try database.execute(sql: "PRAGMA synchronous = FULL")
            }
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.read { database in
                guard try String.fetchOne(database, sql: "PRAGMA journal_mode") == "wal" else {
                    throw DatabaseError(resultCode: .SQLITE_READONLY, message: "it cannot have a write-ahead log")
                }
                let isFull = try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2
                precondition(isFull, "writes to \(path) would be answered before they are durable")
            }
            try queue.write { database in try Self.prepare(database, path: path) }
        } catch let error as StoreError {
            throw error
        } catch {
            throw Self.failure(error, path: path)
        }
    }

    private static func prepare(_ database: Database, path: String) throws {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard version <= schemaVersion else {
            throw StoreError.unavailable(
                file: path, problem: "its schema has version \(version), but this Martlet knows only \(schemaVersion)",
                remedy: "use the newer Martlet that wrote it")
        }
        if version == 0 {
            try database.execute(
                sql: """
                    CREATE TABLE revisions (
                        revision INTEGER PRIMARY KEY,
                        key TEXT NOT NULL,
                        created INTEGER NOT NULL,
                        value BLOB -- null where the key was deleted
                    );
                    CREATE TABLE history (floor INTEGER NOT NULL);
                    INSERT INTO history VALUES (1);
                    PRAGMA user_version = \(schemaVersion);
                    """)
        } else {
            let verdict = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "no answer"
            guard verdict == "ok" else { throw damaged(path, verdict) }
            // A read-only file or directory shows only when something is written.
            try database.execute(sql: "UPDATE history SET floor = floor")
        }
    }

    /// All that is needed to go on: the state at `floor`, and what came after.
    struct Contents {
        var floor: Int64
        var objects: [StoredObject]
        var events: [StoreEvent]
    }

    func load() throws(StoreError) -> Contents {
        do {
            return try queue.read { database in
                let floor = try Int64.fetchOne(database, sql: "SELECT floor FROM history") ?? 1
                var contents = Contents(floor: floor, objects: [], events: [])
                var latest: [String: StoredObject] = [:]
                let rows = try Row.fetchCursor(
                    database, sql: "SELECT revision, key, created, value FROM revisions ORDER BY revision")
                while let row = try rows.next() {
                    let (revision, key): (Int64, String) = (row[0], row[1])
                    let previous = latest[key]
                    var stored: StoredObject?
                    if let value: Data = row[3] {
                        stored = try Self.decode(value, key, revision, created: row[2], path: path)
                    }
                    latest[key] = stored
                    guard revision > floor else { continue }
                    guard revision == floor + Int64(contents.events.count) + 1,
                        let object = stored ?? previous?.deleted(at: revision)
                    else { throw Self.damaged(path, "revision \(floor + Int64(contents.events.count) + 1) is missing") }
                    contents.events.append(StoreEvent(object, previous: previous, isDeletion: stored == nil))
                }
                contents.objects = latest.values.filter { $0.revision <= floor }
                // Objects that events replace or delete have to be there first.
                contents.objects += Self.base(contents.events)
                return contents
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw Self.failure(error, path: path)
        }
    }

    /// The versions before the events, of keys that the events change.
    private static func base(_ events: [StoreEvent]) -> [StoredObject] {
        var seen: Set<String> = []
        return events.compactMap { event in seen.insert(event.key).inserted ? event.previous : nil }
    }

    private static func decode(
        _ value: Data, _ key: String, _ revision: Int64, created: Int64, path: String
    ) throws -> StoredObject {
        do {
            let bytes = [UInt8](value)
            return StoredObject(
                key: key, revision: revision, createRevision: created, bytes: bytes,
                object: Object(try JSON(decoding: bytes)))
        } catch {
            throw damaged(path, "\(key) at revision \(revision) is not JSON: \(error)")
        }
    }

    /// Writes events and forgets rows and history in one durable transaction. Blocks.
    func commit(_ events: [StoreEvent], forgetting garbage: [Int64], floor: Int64) throws(StoreError) {
        do {
            try queue.write { database in
                let insert = try database.cachedStatement(sql: "INSERT INTO revisions VALUES (?, ?, ?, ?)")
                for event in events {
                    let value = event.kind == .deleted ? nil : Data(event.object.bytes)
                    try insert.execute(arguments: [event.revision, event.key, event.object.createRevision, value])
                }
                guard !garbage.isEmpty else { return }
                let delete = try database.cachedStatement(sql: "DELETE FROM revisions WHERE revision = ?")
                for revision in garbage { try delete.execute(arguments: [revision]) }
                try database.cachedStatement(sql: "UPDATE history SET floor = ?").execute(arguments: [floor])
            }
        } catch {
            throw Self.failure(error, path: path)
        }
    }

    func close() { try? queue.close() }

    private static func damaged(_ path: String, _ problem: String) -> StoreError {
        .unavailable(
            file: path, problem: "the database is damaged: \(problem)",
            remedy: "restore it from a copy, or remove it (with its -wal file) to begin with an empty cluster")
    }

    private static func failure(_ error: any Error, path: String) -> StoreError {
        guard let error = error as? DatabaseError else {
            return .unavailable(file: path, problem: "\(error)", remedy: "check the file and its directory")
        }
        let problem = error.message ?? "\(error)"
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return damaged(path, problem)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return .unavailable(
                file: path, problem: "another process has the database open", remedy: "end that process first")
        case .SQLITE_FULL:
            return .unavailable(file: path, problem: "the disk is full", remedy: "free some space")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_IOERR:
            return .unavailable(
                file: path, problem: "the database cannot be opened for writing: \(problem)",
                remedy: "see that its directory exists and is writable by this user, as the file and its -wal file are")
        default: return .unavailable(file: path, problem: problem, remedy: "check the file and its directory")
        }
    }
}
