import APIClient
import KubernetesModel
import Store

/// A page of a collection.
struct Page: Sendable {
    var items: [StoredObject]
    let revision: Int64
    let continueToken: String?
    /// The number of objects after the page, where it is known.
    let remaining: Int?
}

/// Where the next page of a list begins: the revision that all pages show, and the last key of the page before.
struct ContinueToken: Sendable {
    let revision: Int64
    let key: String

    init(revision: Int64, key: String) {
        self.revision = revision
        self.key = key
    }

    init(parsing text: String) throws(Status) {
        guard let bytes = Base64URL.decode(text), let json = try? JSON(decoding: bytes),
            let revision = json["rv"].int, let key = json["start"].string
        else { throw .badRequest("continue key is not valid: \(text)") }
        self.revision = Int64(revision)
        self.key = key
    }

    var text: String {
        Base64URL.encode(
            JSON.object(["v": "meta.k8s.io/v1", "rv": .integer(revision), "start": .string(key)]).encoded())
    }
}

extension Objects {
    func list(
        _ request: ResourceRequest, _ selection: Selection, _ options: ListOptions, exact: Bool = false
    ) throws(Status) -> Page {
        let type = request.type
        let prefix = type.storePrefix(namespace: request.namespace)
        var after: String?
        var revision: Int64?
        if let text = options.continueToken {
            let token = try ContinueToken(parsing: text)
            guard token.key.hasPrefix(prefix) else { throw .badRequest("continue key is not valid: \(text)") }
            after = token.key
            // A token without a revision continues at the latest one, which is not consistent with the pages before.
            revision = token.revision > 0 ? token.revision : nil
        } else if exact {
            revision = options.resourceVersion.flatMap { Int64($0) }
        } else if let version = options.resourceVersion, !version.isEmpty, version != "0" {
            guard let wanted = Int64(version) else {
                throw .badRequest(
                    "Invalid value: \"\(version)\": strconv.ParseUint: parsing \"\(version)\": invalid syntax")
            }
            guard wanted <= store.revision else { throw Self.tooLarge(wanted, store.revision) }
        }
        if let name = selection.name, after == nil, revision == nil, !type.namespaced || request.namespace != nil {
            let items = store.get(prefix + name).map { [$0] } ?? []
            return Page(
                items: items.filter { selection.matches($0.object) }, revision: store.revision, continueToken: nil,
                remaining: nil)
        }
        return try page(
            prefix, after, revision, selection, limit: options.limit ?? 0, continuing: options.continueToken)
    }

    private func page(
        _ prefix: String, _ start: String?, _ moment: Int64?, _ selection: Selection, limit: Int, continuing: String?
    ) throws(Status) -> Page {
        var items: [StoredObject] = []
        var after = start
        var moment = moment
        while true {
            let wanted = limit > 0 ? limit - items.count : nil
            let found: StoreList
            do {
                found = try store.list(prefix: prefix, limit: wanted, after: after, at: moment)
            } catch .compacted {
                throw Self.expired(continuing: continuing, store.revision)
            } catch .future(let revision, let current) {
                throw Self.tooLarge(revision, current)
            } catch {
                throw .internalError(error.description)
            }
            moment = found.revision
            items += selection.isEverything ? found.items : found.items.filter { selection.matches($0.object) }
            guard found.remaining > 0, let last = found.items.last else {
                return Page(items: items, revision: found.revision, continueToken: nil, remaining: nil)
            }
            after = last.key
            if limit > 0, items.count >= limit {
                return Page(
                    items: items, revision: found.revision,
                    continueToken: ContinueToken(revision: found.revision, key: last.key).text,
                    remaining: selection.isEverything ? found.remaining : nil)
            }
        }
    }

    /// Waits until the store has reached a revision that a client has seen, for 3 s as upstream does.
    func wait(for version: String?, within patience: Duration = .seconds(3)) async throws(Status) {
        guard let version, let wanted = Int64(version) else { return }
        let end = ContinuousClock.now + patience
        while store.revision < wanted {
            guard ContinuousClock.now < end, !Task.isCancelled else { throw Self.tooLarge(wanted, store.revision) }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func expired(continuing token: String?, _ revision: Int64) -> Status {
        guard token != nil else {
            return .expired("The resourceVersion for the provided list is too old.")
        }
        return .expired(
            "The provided continue parameter is too old to display a consistent list result. You must start a new list "
                + "without the continue parameter.")
    }

    static func tooLarge(_ revision: Int64, _ current: Int64) -> Status {
        Status(
            code: 504, reason: "Timeout",
            message: "Timeout: Too large resource version: \(revision), current: \(current)",
            causes: [Status.Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version")],
            retryAfterSeconds: 1)
    }
}
