import KubernetesModel
import Logging

/// Reports what a component did, as `Event` objects.
///
/// Recording never waits and never fails the caller. The same event again raises its count; many events of one reason
/// about one object with ever new messages become one; and an object that causes too many loses the rest, as upstream's
/// client-go correlator does it.
public final class EventRecorder: Sendable {
    public enum Kind: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    struct Occurrence: Sendable {
        let reference: JSON
        let kind: Kind
        let reason: String
        let message: String
        let moment: Timestamp
    }

    private let client: any Client
    private let component: String
    private let host: String
    private let logger: Logger
    private let occurrences: AsyncStream<Occurrence>
    private let continuation: AsyncStream<Occurrence>.Continuation

    public init(
        _ client: any Client, component: String, host: String = "", logger: Logger = Logger(label: "events")
    ) {
        self.client = client
        self.component = component
        self.host = host
        self.logger = logger
        (occurrences, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1000))
    }

    /// - Parameter fieldPath: the part of the object that it is about: `spec.containers{web}`.
    public func record(
        _ object: Object, _ kind: Kind = .normal, reason: String, message: String, fieldPath: String? = nil
    ) {
        var reference: JSON = [
            "apiVersion": .string(object.apiVersion), "kind": .string(object.kind), "name": .string(object.name),
        ]
        if !object.namespace.isEmpty { reference["namespace"] = .string(object.namespace) }
        if !object.uid.isEmpty { reference["uid"] = .string(object.uid) }
        if !object.resourceVersion.isEmpty { reference["resourceVersion"] = .string(object.resourceVersion) }
        if let fieldPath { reference["fieldPath"] = .string(fieldPath) }
        // An Event's message holds 1024 bytes at most.
        let message =
            message.utf8.count > 1024 ? String(decoding: message.utf8.prefix(1021), as: UTF8.self) + "..." : message
        continuation.yield(
            Occurrence(reference: reference, kind: kind, reason: reason, message: message, moment: .now))
    }

    /// Writes what is recorded until the task is cancelled.
    public func run() async {
        var correlator = EventCorrelator()
        for await occurrence in occurrences {
            guard let verdict = correlator.correlate(occurrence) else { continue }
            do {
                let written = try await write(occurrence, verdict)
                correlator.wrote(verdict, as: written)
            } catch is CancellationError {
                return
            } catch {
                logger.debug("event \(occurrence.reason) not written: \(error)")
            }
        }
    }

    private func write(_ occurrence: Occurrence, _ verdict: EventCorrelator.Verdict) async throws -> ObjectKey {
        if let key = verdict.existing {
            let patch: JSON = [
                "count": JSON(verdict.count), "lastTimestamp": .string(occurrence.moment.description),
                "message": .string(verdict.message),
            ]
            let written = try await ignoringNotFound {
                try await client.patch(
                    .events, namespace: key.namespace, name: key.name, subresource: nil, .merge(patch))
            }
            // One that has expired is created anew.
            if written != nil { return key }
        }
        let event = event(occurrence, message: verdict.message, count: verdict.count)
        try await client.create(.events, event)
        return event.key
    }

    private func event(_ occurrence: Occurrence, message: String, count: Int) -> Object {
        let moment = occurrence.moment
        let suffix = String(UInt64(moment.seconds) * 1_000_000_000 + UInt64(moment.nanoseconds), radix: 16)
        let subject = occurrence.reference["name"].string ?? ""
        // Objects without a namespace have their events in `default`.
        let namespace = occurrence.reference["namespace"].string ?? "default"
        var event = Object(.events, namespace: namespace, name: "\(subject).\(suffix)")
        event["involvedObject"] = occurrence.reference
        event["type"] = .string(occurrence.kind.rawValue)
        event["reason"] = .string(occurrence.reason)
        event["message"] = .string(message)
        event["count"] = JSON(count)
        event["firstTimestamp"] = .string(moment.description)
        event["lastTimestamp"] = .string(moment.description)
        event["source"] = ["component": .string(component)]
        if !host.isEmpty { event["source"]["host"] = .string(host) }
        event["reportingComponent"] = .string(component)
        event["reportingInstance"] = .string(host)
        return event
    }
}
