import Glibc
import Linux
import Synchronization
import TestSupport
import Testing

@testable import PodRuntime

/// Connections to an init that is played by the test.
@Suite(.timeLimit(.minutes(1))) struct InitConnectionTests {
    private let path = "/tmp/martlet-init-\(getpid())-\(UInt32.random(in: 0 ... .max))"

    private func accept(_ listener: PacketSocket) throws -> PacketSocket {
        PacketSocket(descriptor: try listener.descriptor.accept())
    }

    /// `close` comes while the poller reads what the init sends without end.
    @Test func oneThatIsClosedWhileItIsReadEndsOnce() async throws {
        defer { unlink(path) }
        let listener = try PacketSocket.listen(path)
        for _ in 0..<200 {
            let closes = Atomic(0)
            let connection = try InitConnection(
                path: path, onState: { _ in }, onClose: { closes.add(1, ordering: .relaxed) })
            let other = try accept(listener)
            let request = Task { try await connection.request(.list) }
            let sender = Task {
                await Blocking.run {
                    // An `event_state` that is only a header, until nobody is there.
                    while (try? other.send([0x40, 0, 0, 0, 0, 0, 0, 0])) != nil {}
                }
            }
            await Blocking.run { connection.close() }
            await #expect(throws: InitGone.self) { _ = try await request.value }
            await #expect(throws: InitGone.self) { _ = try await connection.request(.list) }
            await sender.value
            #expect(closes.load(ordering: .relaxed) == 1)
        }
    }

    @Test func theEndOfTheInitIsToldToAllWhoWait() async throws {
        defer { unlink(path) }
        let listener = try PacketSocket.listen(path)
        let closed = Atomic(false)
        let connection = try InitConnection(
            path: path, onState: { _ in }, onClose: { closed.store(true, ordering: .relaxed) })
        let other = try accept(listener)
        let request = Task { try await connection.request(.list) }
        try await eventually("the request is there") { try await Blocking.run { try other.receive().bytes.count } == 8 }
        other.close()
        await #expect(throws: InitGone.self) { _ = try await request.value }
        try await eventually("the owner is told") { closed.load(ordering: .relaxed) }
    }
}
