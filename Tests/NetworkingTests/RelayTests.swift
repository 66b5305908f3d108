import Addresses
import Glibc
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Networking

/// What a connection through the relay is to both who it joins: the other's, but for its address.
@Suite(.timeLimit(.minutes(2))) struct RelayTests {
    /// A server that serves one connection on a thread of its own, and the relay before it.
    private final class Path: Sendable {
        let port: UInt16
        private let forwarder: Forwarder

        init(_ serve: @escaping @Sendable (borrowing Descriptor) -> Void) throws {
            let server = try LoopbackSocket.listening()
            let backend = Balancer.Backend(address: AddressPlan.loopback, port: Int(server.port))
            Blocking.startThread(name: "server") {
                guard let client = try? LoopbackSocket.accept(server.descriptor) else { return }
                serve(client)
            }
            let front = try LoopbackSocket.listening()
            port = front.port
            forwarder = try Forwarder(
                .stream, descriptor: front.descriptor, balancer: Balancer(backends: [backend], affinityTimeout: nil))
        }

        func stop() async { await forwarder.stop() }
    }

    private static func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    }

    @Test(arguments: [1, 65_536, 20_000_000]) func bytesArriveAsTheyWereSent(count: Int) async throws {
        let path = try Path { client in
            while let bytes = try? LoopbackSocket.receive(client, 100_000), !bytes.isEmpty {
                try? LoopbackSocket.sendAll(client, bytes)
            }
        }
        let wanted = Self.pattern(count)
        let port = path.port
        let received = try await Blocking.run { () throws -> [UInt8] in
            let client = try LoopbackSocket.connected(port)
            let writer = SharedDescriptor(try client.duplicate())
            Blocking.startThread(name: "writer") {
                try? writer.write(wanted)
                try? writer.withRawValue { _ = shutdown($0, Int32(SHUT_WR)) }
            }
            return try client.readToEnd()
        }
        #expect(received == wanted)
        await path.stop()
    }

    @Test func anEndOfInputPassesWhileTheAnswerIsStillToCome() async throws {
        let path = try Path { client in
            var count = 0
            while let bytes = try? LoopbackSocket.receive(client, 4096), !bytes.isEmpty { count += bytes.count }
            try? LoopbackSocket.sendAll(client, Array("\(count) bytes".utf8))
        }
        let port = path.port
        let answer = try await Blocking.run { () throws -> [UInt8] in
            let client = try LoopbackSocket.connected(port)
            try LoopbackSocket.sendAll(client, Self.pattern(5000))
            LoopbackSocket.endOutput(client)
            return try client.readToEnd()
        }
        #expect(String(decoding: answer, as: UTF8.self) == "5000 bytes")
        await path.stop()
    }

    @Test func aReaderThatWaitsHoldsUpTheWriter() async throws {
        // A relay that reads on whatever its client does would take it all; sockets and a pipe hold some megabytes.
        let all = 200 << 20
        let state = Atomic(0)
        let path = try Path { client in
            let block = [UInt8](repeating: 7, count: 100_000)
            client.withRawValue { number in
                var sent = 0
                while sent < all {
                    let count = send(number, block, min(block.count, all - sent), Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
                    if count > 0 { sent += count }
                    guard count < 0, errno == EAGAIN else { continue }
                    var wait = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                    if poll(&wait, 1, 500) == 0 { state.store(sent, ordering: .relaxed) }
                }
                if state.load(ordering: .relaxed) == 0 { state.store(all, ordering: .relaxed) }
            }
        }
        let client = SharedDescriptor(try LoopbackSocket.connected(path.port))
        try await eventually("the server waits, or has sent all") { state.load(ordering: .relaxed) > 0 }
        #expect(state.load(ordering: .relaxed) < 64 << 20)
        let received = try await Blocking.run { () throws -> Int in
            var (count, buffer) = (0, [UInt8](repeating: 0, count: 1 << 20))
            while true {
                let more = try client.withRawValue { recv($0, &buffer, buffer.count, 0) }
                guard more > 0 else { return count }
                count += more
            }
        }
        #expect(received == all, "it goes on when the reader does")
        await path.stop()
    }

    @Test func aFailureOfTheEndpointIsNoEndOfTheAnswer() async throws {
        let path = try Path { client in
            _ = try? LoopbackSocket.receive(client, 1)
            LoopbackSocket.resetOnClose(client)
        }
        let client = try LoopbackSocket.connected(path.port)
        try LoopbackSocket.sendAll(client, [1])
        #expect(LoopbackSocket.failure(client) == ECONNRESET)
        await path.stop()
    }

    @Test func aClientForWhomThereIsNoEndpointIsReset() async throws {
        let dead = try LoopbackSocket.listening()
        let backend = Balancer.Backend(address: AddressPlan.loopback, port: Int(dead.port))
        dead.descriptor.close()
        let front = try LoopbackSocket.listening()
        let forwarder = try Forwarder(
            .stream, descriptor: front.descriptor, balancer: Balancer(backends: [backend], affinityTimeout: nil))
        let client = try LoopbackSocket.connected(front.port)
        #expect(LoopbackSocket.failure(client) == ECONNRESET)
        await forwarder.stop()
    }

    /// Five thousand clients at once met a queue of 128.
    @Test func theQueueOfAListenerStaysAsLongAsItWas() async throws {
        let front = try LoopbackSocket.listening(queue: 1000)
        let forwarder = try Forwarder(
            .stream, descriptor: front.descriptor, balancer: Balancer(backends: [], affinityTimeout: nil))
        #expect(try LoopbackSocket.queueLength(front.descriptor) == 1000)
        await forwarder.stop()
    }

    @Test func manyClientsAtOnceAreAllServed() async throws {
        let server = try LoopbackSocket.listening(queue: 1000)
        let count = 500
        Blocking.startThread(name: "server") {
            for _ in 0..<count {
                guard let client = try? LoopbackSocket.accept(server.descriptor) else { return }
                try? LoopbackSocket.sendAll(client, [42])
            }
        }
        let front = try LoopbackSocket.listening(queue: 1000)
        let backend = Balancer.Backend(address: AddressPlan.loopback, port: Int(server.port))
        let forwarder = try Forwarder(
            .stream, descriptor: front.descriptor, balancer: Balancer(backends: [backend], affinityTimeout: nil))
        let answers = try await Blocking.run { () throws -> Int in
            var clients: [SharedDescriptor] = []
            for _ in 0..<count { clients.append(SharedDescriptor(try LoopbackSocket.connected(front.port))) }
            return try clients.filter { try $0.readToEnd() == [42] }.count
        }
        #expect(answers == count)
        await forwarder.stop()
    }
}
