import APIClient
import KubernetesModel

/// Deletes events that are older than their lifetime, where the store keeps them longer.
///
/// Its queue has one key, which comes back after a pause: a twelfth of the lifetime more or less is soon enough, and
/// leaves an idle cluster alone.
struct EventExpiryController: Controller {
    private static let everything = ObjectKey(name: "")

    private let client: any Client
    private let lifetime: Duration

    let name = "event expiry"
    let workers = 1
    let reads: [Informer] = []

    init(_ context: ControllerContext) {
        client = context.client
        lifetime = context.options.eventLifetime
    }

    func watch(_ queue: WorkQueue<ObjectKey>) { queue.add(Self.everything, after: lifetime / 12) }

    func reconcile(_ key: ObjectKey) async throws -> Requeue? {
        try await expire(now: .now)
        return .after(lifetime / 12)
    }

    private func expire(now: Timestamp) async throws {
        var options = ListOptions(limit: 500)
        repeat {
            let page = try await client.list(.events, namespace: nil, options: options)
            for event in page.items where Self.isExpired(event, lifetime: lifetime, now: now) {
                try await client.deleteIfPresent(.events, event)
            }
            options.continueToken = page.continueToken
        } while options.continueToken?.isEmpty == false
    }

    static func isExpired(_ event: Object, lifetime: Duration, now: Timestamp) -> Bool {
        let last =
            event["series"]["lastObservedTime"].string ?? event["lastTimestamp"].string
            ?? event["eventTime"].string ?? event.metadata["creationTimestamp"].string
        guard let last = last.flatMap(Timestamp.init) else { return false }
        return .seconds(now.since(last)) > lifetime
    }
}
