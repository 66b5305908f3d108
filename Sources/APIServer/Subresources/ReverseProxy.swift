import AsyncHTTPClient
import HTTPTypes
import KubernetesModel
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Store

/// `pods/proxy`, `services/proxy` and ports of nodes (`nodes/proxy`): forwards HTTP requests to an address, which this
/// process reaches because it is in the cluster's network namespace.
final class ReverseProxy: Sendable {
    private let client: HTTPClient

    init(group: any EventLoopGroup) {
        var tls = TLSConfiguration.makeClientConfiguration()
        // As upstream: proxying to https trusts the cluster's network.
        tls.certificateVerification = .none
        let configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10)), decompression: .disabled)
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    func shutDown() async { try? await client.shutdown() }

    func respond(
        to request: APIRequest, _ resource: ResourceRequest, _ target: ProxyTarget, _ objects: Objects
    ) async throws -> APIResponse {
        let address = try Self.address(target, resource, objects)
        // Else the links of a page at the server's root would lead beside it.
        if resource.rest.isEmpty, !request.target.rawPath.hasSuffix("/"), [.get, .head].contains(request.method) {
            return Self.redirection(to: request.target)
        }
        let path =
            "/" + resource.rest.joined(separator: "/")
            + (request.target.rawPath.hasSuffix("/") && !resource.rest.isEmpty ? "/" : "")
        let query = request.target.rawQuery.isEmpty ? "" : "?" + request.target.rawQuery
        let scheme = target.scheme == "https" ? "https" : "http"
        var outgoing = HTTPClientRequest(url: "\(scheme)://\(address)\(Self.encoded(path))\(query)")
        outgoing.method = NIOHTTP1.HTTPMethod(rawValue: request.method.rawValue)
        for field in request.headers where Self.isForwarded(field.name.canonicalName) {
            outgoing.headers.add(name: field.name.rawName, value: field.value)
        }
        // The links of a page can be rewritten only where it is not compressed.
        if request.header(.accept)?.contains("text/html") ?? false { outgoing.headers.remove(name: "accept-encoding") }
        if let body = request.incoming, body.isExpected {
            outgoing.body = .stream(body.stream(), length: body.length.map { .known(Int64($0)) } ?? .unknown)
        } else if request.body.readableBytes > 0 {
            outgoing.body = .bytes(request.body)
        }
        let answer: HTTPClientResponse
        do {
            answer = try await client.execute(outgoing, deadline: .now() + .hours(24))
        } catch {
            throw Status.serviceUnavailable("error trying to reach service: \(error)")
        }
        let links = ProxiedLinks(
            prefix: Self.prefix(of: request.target, resource), address: "\(address)", host: request.authority)
        let isPage = Self.isPage(answer.headers)
        var response = APIResponse(
            code: Int(answer.status.code), contentType: answer.headers.first(name: "content-type") ?? "",
            body: .stream { sink in
                var page = isPage ? HTMLLinks(links) : nil
                for try await part in answer.body {
                    let bytes = (page?.rewrite(part.readableBytesView)).map { ByteBuffer(bytes: $0) }
                    try await sink.write(bytes ?? part)
                }
                if let rest = page?.finish(), !rest.isEmpty { try await sink.write(ByteBuffer(bytes: rest)) }
            })
        for header in answer.headers {
            guard let name = HTTPField.Name(header.name), !Self.ownHeaders.contains(name.canonicalName),
                name != .contentType
            else { continue }
            response.headers.append((name, name == .location ? links.rewritten(header.value) : header.value))
        }
        return response
    }

    /// The path of a request up to `proxy`.
    private static func prefix(of target: RequestTarget, _ resource: ResourceRequest) -> String {
        let segments = target.rawPath.split(separator: "/")
        return "/" + segments.dropLast(resource.rest.count).joined(separator: "/")
    }

    private static func isPage(_ headers: HTTPHeaders) -> Bool {
        let type = headers.first(name: "content-type")?.prefix { $0 != ";" }.lowercased()
        let encoding = headers.first(name: "content-encoding") ?? "identity"
        return type?.split(separator: " ") == ["text/html"] && encoding == "identity"
    }

    private static func redirection(to target: RequestTarget) -> APIResponse {
        var response = APIResponse(text: "", code: 301)
        let query = target.rawQuery.isEmpty ? "" : "?" + target.rawQuery
        response.headers.append((.location, "\(target.rawPath)/\(query)"))
        return response
    }

    /// Headers of one connection, which are not forwarded.
    private static let ownHeaders: Set<String> = [
        "connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "host", "content-length",
        "proxy-connection",
    ]

    /// Whether a header of a request is forwarded: what says who the user is, is for the API server alone.
    static func isForwarded(_ name: String) -> Bool {
        !ownHeaders.contains(name) && name != "authorization" && !name.hasPrefix("impersonate-")
            && !name.hasPrefix("x-remote-")
    }

    private static func address(
        _ target: ProxyTarget, _ resource: ResourceRequest, _ objects: Objects
    ) throws(Status) -> ProxyAddress {
        switch resource.type {
        case .pods:
            let pod = Pod(try objects.stored(.pods, namespace: resource.namespace, name: target.name).object)
            guard target.port.isEmpty || target.portNumber != nil else {
                throw .badRequest("invalid pod request \"\(target.name):\(target.port)\"")
            }
            let ports = pod.spec["containers"].items.flatMap { $0["ports"].items }
            return try .of(
                pod: pod, node: pod.nodeName.flatMap { objects.object(.nodes, name: $0) }.map(Node.init),
                port: target.portNumber ?? ports.first?["containerPort"].int ?? 80)
        case .services:
            return try service(target, resource, objects)
        default:
            let node = try objects.stored(resource.type, namespace: nil, name: target.name).object
            let ip = node.status["addresses"].items.first { $0["type"].string == "InternalIP" }?["address"].string
            guard let ip else { throw .serviceUnavailable("no address is known for node \(target.name)") }
            guard let port = target.portNumber else {
                throw .badRequest("invalid node request \"\(target.name):\(target.port)\"")
            }
            return try .of(node: ip, port: port)
        }
    }

    /// A ready endpoint of a Service.
    private static func service(
        _ target: ProxyTarget, _ resource: ResourceRequest, _ objects: Objects
    ) throws(Status) -> ProxyAddress {
        let service = try objects.stored(.services, namespace: resource.namespace, name: target.name).object
        let ports = service.spec["ports"].items
        let port = ports.first { port in
            target.port.isEmpty || port["name"].string == target.port
                || port["port"].int.map(String.init) == target.port
        }
        guard let port else {
            throw .serviceUnavailable("no service port \"\(target.port)\" found for service \"\(target.name)\"")
        }
        let endpoints = objects.object(.endpoints, namespace: resource.namespace, name: target.name)
        let candidates = (endpoints?["subsets"].items ?? []).flatMap { subset -> [(String, Int)] in
            let match = subset["ports"].items.first { $0["name"].string ?? "" == port["name"].string ?? "" }
            guard let number = match?["port"].int else { return [] }
            return subset["addresses"].items.compactMap { $0["ip"].string }.map { ($0, number) }
        }
        guard let chosen = candidates.randomElement() else {
            throw .serviceUnavailable("no endpoints available for service \"\(target.name)\"")
        }
        return try .of(endpoint: chosen.0, port: chosen.1)
    }

    private static func encoded(_ path: String) -> String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/".utf8)
        var text = ""
        for byte in path.utf8 {
            if plain.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}
