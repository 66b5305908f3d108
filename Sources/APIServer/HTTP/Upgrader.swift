import NIOCore
import NIOHTTP1
import Synchronization

/// Carries out the upgrade that `UpgradeGate` has been granted.
struct Upgrader: NIOTypedHTTPServerProtocolUpgrader {
    typealias UpgradeResult = ConnectionChannel.First

    /// What was granted to a connection's first request.
    final class Decision: Sendable {
        let upgrade = Mutex<Upgrade?>(nil)
    }

    struct Refused: Error {}

    let supportedProtocol: String
    let requiredUpgradeHeaders: [String] = []
    let decision: Decision

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        guard let upgrade = decision.upgrade.withLock({ $0 }) else {
            return channel.eventLoop.makeFailedFuture(Refused())
        }
        var headers = initialResponseHeaders
        headers.replaceOrAdd(name: "connection", value: "Upgrade")
        headers.add(contentsOf: upgrade.headers)
        return channel.eventLoop.makeSucceededFuture(headers)
    }

    func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<UpgradeResult> {
        guard let upgrade = decision.upgrade.withLock({ $0 }) else {
            return channel.eventLoop.makeFailedFuture(Refused())
        }
        return upgrade.start(channel).map { .upgraded($0) }
    }
}
