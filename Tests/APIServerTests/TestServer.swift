import APIClient
import Crypto
import Foundation
import HTTPTypes
import Kinds
import KubernetesModel
import Logging
import NIOCore
import Testing
import X509

@testable import APIServer
@testable import Store

/// An API server over a store of its own in a directory of its own, on a free port of 127.0.0.1.
enum TestServer {
    /// Starts a server, calls `body` with its kubeconfig and the in-process client, and takes everything away again.
    static func run<Result: Sendable>(
        _ body: @escaping @Sendable (_ kubeconfig: String, _ client: any Client) async throws -> Result
    ) async throws -> Result {
        try await serve { kubeconfig, server, _ in try await body(kubeconfig, server.client) }
    }

    /// As `run`, with what shows requests to the server as they come over a connection.
    ///
    /// - Parameters:
    ///   - history: how many of the last events the server remembers.
    ///   - plugins: admission plug-ins after those of every cluster.
    static func run(
        history: Int? = nil, plugins: [any AdmissionPlugin] = [], limits: ConnectionLimits = ConnectionLimits(),
        _ body: @escaping @Sendable (_ api: TestRequests) async throws -> Void
    ) async throws {
        try await serve(history: history, plugins: plugins, limits: limits) {
            try await body(TestRequests(server: $1, port: $2, directory: $1.configuration.runDirectory))
        }
    }

    private static func serve<Result: Sendable>(
        history: Int? = nil, plugins: [any AdmissionPlugin] = [], limits: ConnectionLimits = ConnectionLimits(),
        _ body: @escaping @Sendable (_ kubeconfig: String, _ server: APIServer, _ port: Int) async throws -> Result
    ) async throws -> Result {
        let directory = NSTemporaryDirectory() + "martlet-api-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let certificates = try TestCertificates(directory: directory)
        var window = EventWindow.Limits()
        if let history { window.count = history }
        let store = try SQLiteStore(path: directory + "/store.db", limits: window)
        var logger = Logger(label: "api")
        logger.logLevel = .warning
        var configuration = APIServer.Configuration(
            listeners: [.address("127.0.0.1", port: 0)], certificate: directory + "/apiserver.crt",
            key: directory + "/apiserver.key", clientCA: directory + "/ca.crt",
            serviceAccountKey: directory + "/sa.key",
            serviceAccountPublicKey: "", runDirectory: directory)
        configuration.repairInterval = .milliseconds(100)
        configuration.limits = limits
        let server = try APIServer(
            configuration: configuration, store: store, catalogue: .builtIn,
            plugins: AdmissionPlugins.all(store, loadBalancers: configuration.loadBalancers) + plugins, logger: logger)
        let (ports, continuation) = AsyncStream<[Int]>.makeStream()
        let result = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { continuation.finish() }
                try await server.run { continuation.yield($0) }
            }
            defer { group.cancelAll() }
            guard let port = await ports.first(where: { _ in true })?.first else {
                // Why the server ended without listening.
                try await group.next()
                throw CancellationError()
            }
            let kubeconfig = try certificates.writeKubeconfig(port: port)
            return try await body(kubeconfig, server, port)
        }
        await store.close()
        return result
    }
}

/// Requests to a server, by an administrator, without a connection.
struct TestRequests: Sendable {
    let server: APIServer
    let port: Int
    /// Where the certificates are.
    let directory: String

    var client: any Client { server.client }

    func respond(
        _ method: HTTPRequest.Method, _ target: String, _ body: ByteBuffer = ByteBuffer(),
        type: String = "application/json", accept: String? = nil
    ) async -> APIResponse {
        var headers = HTTPFields()
        headers[.contentType] = type
        headers[.accept] = accept
        return await server.pipeline.respond(
            to: APIRequest(
                method: method, target: RequestTarget(target), headers: headers, body: body,
                user: User(name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"])))
    }

    /// Sends a request, and gives the answer's code and, unless it is a stream, its JSON.
    func send(
        _ method: HTTPRequest.Method, _ target: String, _ body: JSON? = nil, type: String = "application/json"
    ) async throws -> (code: Int, json: JSON) {
        let response = await respond(
            method, target, body.map { ByteBuffer(bytes: $0.encoded()) } ?? ByteBuffer(), type: type)
        return (response.code, response.text.isEmpty ? .null : try JSON(decoding: response.text))
    }

    /// Sends a request that is to be refused.
    func refusal(_ method: HTTPRequest.Method, _ target: String, _ body: JSON? = nil) async throws -> Status {
        try #require(Status(try await send(method, target, body).json))
    }
}

extension APIResponse {
    /// What is sent; empty for a stream.
    var text: String {
        guard case .bytes(let bytes) = body else { return "" }
        return String(buffer: bytes)
    }
}

/// An authority, a serving certificate and an administrator's, as the supervisor makes them.
struct TestCertificates {
    let directory: String
    private let authority: Certificate
    private let authorityKey = P256.Signing.PrivateKey()

    init(directory: String) throws {
        self.directory = directory
        let name = try DistinguishedName { CommonName("test-ca") }
        authority = try Self.certificate(
            name, key: authorityKey, issuer: name, issuerKey: authorityKey, isAuthority: true)
        try write(authority.serializeAsPEM().pemString, "ca.crt")
        let serving = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName("kube-apiserver") }
        let certificate = try Self.certificate(
            subject, key: serving, issuer: name, issuerKey: authorityKey, isAuthority: false)
        try write(certificate.serializeAsPEM().pemString, "apiserver.crt")
        try write(serving.pemRepresentation, "apiserver.key")
        try write(P256.Signing.PrivateKey().pemRepresentation, "sa.key")
    }

    private func write(_ text: String, _ name: String) throws {
        try text.write(toFile: directory + "/" + name, atomically: false, encoding: .utf8)
    }

    func writeKubeconfig(port: Int) throws -> String {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName {
            OrganizationName("system:masters")
            CommonName("kubernetes-admin")
        }
        let certificate = try Self.certificate(
            subject, key: key, issuer: authority.subject, issuerKey: authorityKey, isAuthority: false)
        try write(certificate.serializeAsPEM().pemString, "admin.crt")
        try write(key.pemRepresentation, "admin.key")
        try write(
            """
            apiVersion: v1
            kind: Config
            current-context: test
            contexts: [{name: test, context: {cluster: test, user: admin}}]
            clusters: [{name: test, cluster: {server: "https://127.0.0.1:\(port)", certificate-authority: ca.crt}}]
            users: [{name: admin, user: {client-certificate: admin.crt, client-key: admin.key}}]

            """, "kubeconfig")
        return directory + "/kubeconfig"
    }

    private static func certificate(
        _ subject: DistinguishedName, key: P256.Signing.PrivateKey, issuer: DistinguishedName,
        issuerKey: P256.Signing.PrivateKey, isAuthority: Bool
    ) throws -> Certificate {
        let now = Date()
        let extensions = try Certificate.Extensions {
            if isAuthority {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
            } else {
                BasicConstraints.notCertificateAuthority
                SubjectAlternativeNames([.ipAddress(.init(contentBytes: [127, 0, 0, 1])), .dnsName("localhost")])
                try ExtendedKeyUsage([.serverAuth, .clientAuth])
            }
        }
        return try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey), notValidBefore: now - 60,
            notValidAfter: now + 3600, issuer: issuer, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: extensions, issuerPrivateKey: .init(issuerKey))
    }
}
