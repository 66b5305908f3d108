import APIClient
import KubernetesModel
import Logging

/// Deletes events that are older than their lifetime, where the store keeps them longer.
struct EventExpiry: ControlLoop {
    private let client: any Client
    private let lifetime: Duration
    private let logger: Logger

    init(_ context: ControlLoopContext) {
        client = context.client
        lifetime = context.options.eventLifetime
        logger = context.logger
    }

    /// A twelfth of the lifetime more or less is soon enough, and leaves an idle cluster alone.
    func run() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: lifetime / 12)
                try await expire(now: .now)
            } catch is CancellationError {
                return
            } catch {
                logger.debug("events not expired: \(error)")
            }
        }
    }

    private func expire(now: Timestamp) async throws {
        var options = ListOptions(limit: 500)
        repeat {
            let page = try await client.list(.events, namespace: nil, options: options)
            for event in page.items where Self.isExpired(event, lifetime: lifetime, now: now) {
                do {
                    try await client.delete(.events, event.key, options: DeleteOptions(uid: event.uid))
                } catch let status as Status where status.isNotFound || status.isConflict {}
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
