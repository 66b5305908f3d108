import APIClient
import KubernetesModel
import Store

/// What a watch sends its client.
enum WatchNotice: Sendable {
    case added(StoredObject)
    case modified(StoredObject)
    case deleted(StoredObject)
    /// The object left the selection: its last state in it, with the revision of the change.
    case left(Object)
    case bookmark(revision: Int64, initialEventsEnd: Bool)
    case failed(Status)
}

/// The parameters of a watch.
struct WatchRequest: Sendable {
    let resource: ResourceRequest
    let selection: Selection
    var resourceVersion: String?
    var bookmarks = false
    /// Whether the current objects come first (`sendInitialEvents`).
    var initialEvents = false
    var timeout: Duration

    static var defaultTimeout: Duration { .seconds(Int.random(in: 1800...3600)) }
}

extension Objects {
    /// Initial events are sent in batches: all of them encoded at the same time would take too much memory.
    static let maxBatch = 500

    /// Watches until the timeout, or until the task is cancelled or history is compacted; sends notices in batches.
    func watch(
        _ request: WatchRequest, send: @escaping @Sendable ([WatchNotice]) async throws -> Void
    ) async throws {
        let watch: StoreWatch
        let initial: [WatchNotice]
        do {
            // A long list takes too long for an event loop.
            (watch, initial) = try await withTaskExecutorPreference(globalConcurrentExecutor) { () throws(Status) in
                try begin(request)
            }
        } catch {
            try await send([.failed(error)])
            return
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for start in stride(from: 0, to: initial.count, by: Self.maxBatch) {
                    try await send(Array(initial[start...].prefix(Self.maxBatch)))
                }
                try await self.follow(watch, request, send)
            }
            group.addTask { try? await Self.tick(watch, request) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Opens the store's watch, and collects the initial events.
    private func begin(_ request: WatchRequest) throws(Status) -> (StoreWatch, [WatchNotice]) {
        let type = request.resource.type
        let prefix = type.storePrefix(namespace: request.resource.namespace)
        var notices: [WatchNotice] = []
        let version = request.resourceVersion ?? ""
        guard let parsed = version.isEmpty ? 0 : Int64(version) else {
            throw .badRequest(
                "Invalid value: \"\(version)\": strconv.ParseUint: parsing \"\(version)\": invalid syntax")
        }
        var revision = parsed
        if revision == 0 || request.initialEvents {
            let page = try list(request.resource, request.selection, ListOptions())
            revision = page.revision
            notices = page.items.map { .added($0) }
            if request.initialEvents { notices.append(.bookmark(revision: revision, initialEventsEnd: true)) }
        }
        do {
            return (try store.watch(prefix: prefix, after: revision), notices)
        } catch .compacted {
            throw Self.tooOld(revision, store.revision)
        } catch .future(let revision, let current) {
            throw Self.tooLarge(revision, current)
        } catch {
            throw .internalError(error.description)
        }
    }

    private func follow(
        _ watch: StoreWatch, _ request: WatchRequest, _ send: @Sendable ([WatchNotice]) async throws -> Void
    ) async throws {
        do {
            for try await batch in watch {
                var notices: [WatchNotice] = []
                notices.reserveCapacity(batch.events.count)
                for event in batch.events {
                    if let notice = Self.notice(event, request.selection) { notices.append(notice) }
                }
                if batch.events.isEmpty, request.bookmarks {
                    notices.append(.bookmark(revision: batch.revision, initialEventsEnd: false))
                }
                if !notices.isEmpty { try await send(notices) }
            }
        } catch let error as StoreError {
            guard case .compacted = error else { throw error }
            try await send([.failed(Self.tooOld(0, store.revision))])
        }
    }

    /// What an event is to a watcher of a selection.
    private static func notice(_ event: StoreEvent, _ selection: Selection) -> WatchNotice? {
        if selection.isEverything {
            return switch event.kind {
            case .created: .added(event.object)
            case .modified: .modified(event.object)
            case .deleted: .deleted(event.object)
            }
        }
        let was = event.previous.map { selection.matches($0.object) } ?? false
        if event.kind == .deleted { return was ? .deleted(event.object) : nil }
        switch (was, selection.matches(event.object.object)) {
        case (false, false): return nil
        case (false, true): return .added(event.object)
        case (true, true): return .modified(event.object)
        case (true, false):
            guard var last = event.previous?.object else { return nil }
            last.metadata["resourceVersion"] = .string(String(event.revision))
            return .left(last)
        }
    }

    /// Requests a bookmark about once a minute, and returns at the watch's timeout.
    private static func tick(_ watch: StoreWatch, _ request: WatchRequest) async throws {
        let end = ContinuousClock.now + request.timeout
        while ContinuousClock.now < end {
            try await Task.sleep(until: min(end, .now + .seconds(request.bookmarks ? 55 : 3600)))
            if request.bookmarks { watch.requestProgress() }
        }
    }

    private static func tooOld(_ revision: Int64, _ current: Int64) -> Status {
        .expired("too old resource version: \(revision) (\(current))")
    }
}
