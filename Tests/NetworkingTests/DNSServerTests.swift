import Glibc
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Networking

@Suite struct DNSServerTests {
    @Test func aSocketThatCannotBeBoundIsAFailure() async throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(listener >= 0 && listen(listener, 8) == 0)
        // No machine of a test has the cluster's address for names, to which the other socket would be bound.
        let server = DNSServer(
            client: TestClient(), sockets: .init(stream: listener), upstream: nil, logger: Logger(label: "test"))
        let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
        let run = Task {
            defer { isReady.finish() }
            try await server.run { isReady.finish() }
        }
        for await _ in ready {}
        // Where it serves nevertheless it would do so for ever.
        run.cancel()
        await #expect(throws: IOError.self) { try await run.value }
    }
}
