import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing

/// A client that says what it wants, as bytes, over TLS or before it.
final class TestConnection: Sendable {
    private let channel: any Channel
    private let received: Received

    final class Received: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer

        let text = Mutex("")

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let part = String(buffer: unwrapInboundIn(data))
            text.withLock { $0 += part }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// - Parameter directory: where the certificates are; nil for a connection that does not begin TLS.
    init(
        port: Int, directory: String?, asAdministrator: Bool = false, protocolName: String = "http/1.1"
    ) async throws {
        let received = Received()
        self.received = received
        var context: NIOSSLContext?
        if let directory {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file("\(directory)/ca.crt")
            tls.applicationProtocols = [protocolName]
            if asAdministrator {
                tls.certificateChain = try NIOSSLCertificate.fromPEMFile("\(directory)/admin.crt").map {
                    .certificate($0)
                }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: "\(directory)/admin.key", format: .pem))
            }
            context = try NIOSSLContext(configuration: tls)
        }
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { [context] channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: nil))
                    }
                    try channel.pipeline.syncOperations.addHandler(received)
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    var text: String { received.text.withLock { $0 } }
    var isOpen: Bool { channel.isActive }

    func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes) }

    /// From now on the client does not look at what the server sends.
    func stopReading() async throws { try await channel.setOption(.autoRead, value: false).get() }

    func close() async { try? await channel.close() }

    /// Waits for a part of what the server sends.
    func expect(_ part: String) async throws {
        try await eventually("the server sends \(part)", within: .seconds(20)) { self.text.contains(part) }
    }

    func expectClose(within limit: Duration = .seconds(20)) async throws {
        try await eventually("the server closes the connection", within: limit) { !self.isOpen }
    }
}
