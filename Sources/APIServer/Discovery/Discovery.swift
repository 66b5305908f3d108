import HTTPTypes
import Kinds
import KubernetesModel
import Store

/// The paths that are no resources: version, discovery, health, metrics.
struct Discovery: Sendable {
    let catalogue: Catalogue
    let version: String
    let advertised: String
    let openAPI: OpenAPIRequests
    let store: any Store
    let tokens: TokenAuthority?

    func respond(to request: APIRequest) async throws(Status) -> APIResponse {
        guard request.method == .get || request.method == .head else {
            throw Status(
                code: 405, reason: "MethodNotAllowed",
                message: "the server does not allow this method on the requested resource")
        }
        let segments = request.target.segments
        switch segments.first {
        case nil: return Encoding.plain.response(["paths": JSON(paths)])
        case "healthz", "livez", "readyz": return health(segments, request)
        case "version" where segments.count == 1: return Encoding.plain.response(versionInformation)
        case "metrics" where segments.count == 1: return metrics()
        case "openapi": return try await openAPI.respond(to: request, Array(segments.dropFirst()))
        case "api", "apis": return try groups(request, segments)
        case ".well-known" where segments.last == "openid-configuration":
            return Encoding.plain.response([
                "issuer": .string(TokenAuthority.issuer), "response_types_supported": ["id_token"],
                "jwks_uri": .string("https://\(advertised)/openid/v1/jwks"),
                "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256"],
            ])
        case "openid" where segments == ["openid", "v1", "jwks"]:
            guard let tokens else { throw .pathNotFound() }
            var response = Encoding.plain.response(tokens.keySet)
            response.contentType = "application/jwk-set+json"
            return response
        default: throw .pathNotFound()
        }
    }

    private func groups(_ request: APIRequest, _ segments: [String]) throws(Status) -> APIResponse {
        switch (segments[0], segments.count) {
        case (let root, 1):
            if let version = AggregatedDiscovery.version(request.header(.accept)) {
                return AggregatedDiscovery(catalogue: catalogue).response(core: root == "api", version)
            }
            let encoding = try Encoding(accept: request.header(.accept))
            return encoding.response(root == "api" ? coreVersions : groupList)
        case ("api", 2): return try resources(group: "", version: segments[1], request)
        case ("apis", 2):
            guard let group = groupList["groups"].items.first(where: { $0["name"].string == segments[1] }) else {
                throw .pathNotFound()
            }
            var json = group
            json["kind"] = "APIGroup"
            json["apiVersion"] = "v1"
            return try Encoding(accept: request.header(.accept)).response(json)
        case ("apis", 3): return try resources(group: segments[1], version: segments[2], request)
        default: throw .pathNotFound()
        }
    }

    private var coreVersions: JSON {
        [
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [
                ["clientCIDR": "0.0.0.0/0", "serverAddress": .string(advertised)]
            ],
        ]
    }

    private var groupList: JSON {
        var order: [String] = []
        var versions: [String: [JSON]] = [:]
        for served in catalogue.groupVersions where !served.group.isEmpty {
            if versions[served.group] == nil { order.append(served.group) }
            versions[served.group, default: []].append([
                "groupVersion": .string(served.apiVersion), "version": .string(served.version),
            ])
        }
        let groups = order.map { name -> JSON in
            let all = versions[name] ?? []
            return ["name": .string(name), "versions": .array(all), "preferredVersion": all[0]]
        }
        return ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups)]
    }

    private func resources(group: String, version: String, _ request: APIRequest) throws(Status) -> APIResponse {
        let served = Catalogue.GroupVersion(group: group, version: version)
        let infos = catalogue.resources(in: served)
        guard !infos.isEmpty else { throw .pathNotFound() }
        var resources: [JSON] = []
        for info in infos {
            var entry: JSON = [
                "name": .string(info.type.plural), "singularName": .string(info.singular),
                "namespaced": .bool(info.type.namespaced), "kind": .string(info.type.kind), "verbs": JSON(info.verbs),
            ]
            if !info.shortNames.isEmpty { entry["shortNames"] = JSON(info.shortNames) }
            if !info.categories.isEmpty { entry["categories"] = JSON(info.categories) }
            if info.supports("create") { entry["storageVersionHash"] = .string(Self.storageHash(info.storedAs)) }
            resources.append(entry)
            for sub in info.subresources {
                var entry: JSON = [
                    "name": .string("\(info.type.plural)/\(sub.name)"), "singularName": "",
                    "namespaced": .bool(info.type.namespaced), "kind": .string(sub.kind), "verbs": JSON(sub.verbs),
                ]
                if let group = sub.group, group != info.type.group { entry["group"] = .string(group) }
                if let version = sub.version, sub.group != nil { entry["version"] = .string(version) }
                resources.append(entry)
            }
        }
        return try Encoding(accept: request.header(.accept)).response([
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(served.apiVersion),
            "resources": .array(resources),
        ])
    }

    private static func storageHash(_ type: ResourceType) -> String {
        let hash = Identifiers.fnv1a("\(type.apiVersion)/\(type.kind)".utf8)
        let bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: hash >> UInt32($0)) }
        return Base64.encode(bytes + bytes)
    }

    private var paths: [String] {
        var paths = ["/api", "/api/v1", "/apis"]
        for served in catalogue.groupVersions where !served.group.isEmpty {
            paths += ["/apis/\(served.group)", "/apis/\(served.apiVersion)"]
        }
        paths += ["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
        var seen: Set<String> = []
        return paths.filter { seen.insert($0).inserted }
    }

    private var versionInformation: JSON {
        let numbers = version.drop { !$0.isNumber }.split(separator: ".")
        return [
            "major": .string(numbers.first.map(String.init) ?? "1"),
            "minor": .string(numbers.dropFirst().first.map(String.init) ?? "33"), "gitVersion": .string(version),
            "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "",
            "compiler": "swift", "platform": .string(Self.platform),
        ]
    }

    private static var platform: String {
        #if arch(arm64)
            "linux/arm64"
        #else
            "linux/amd64"
        #endif
    }

    private func health(_ segments: [String], _ request: APIRequest) -> APIResponse {
        guard segments.count == 1 else { return APIResponse(text: "ok") }
        guard request.query.flag("verbose") else { return APIResponse(text: "ok") }
        let checks = ["ping", "log", "etcd", "informer-sync", "poststarthook/start-service-ip-repair-controllers"]
        let lines = checks.map { "[+]\($0) ok" } + ["\(segments[0]) check passed", ""]
        return APIResponse(text: lines.joined(separator: "\n"))
    }

    private func metrics() -> APIResponse {
        var counts: [String: Int] = [:]
        for info in catalogue.resources where info.supports("list") && info.storedAs == info.type {
            counts[info.type.groupResource] =
                store.list(prefix: info.type.storePrefix(namespace: nil)).count
        }
        var text = "# HELP apiserver_storage_objects Number of stored objects by kind.\n"
        text += "# TYPE apiserver_storage_objects gauge\n"
        for (resource, count) in counts.sorted(by: { $0.key < $1.key }) {
            text += "apiserver_storage_objects{resource=\"\(resource)\"} \(count)\n"
        }
        var response = APIResponse(text: text)
        response.contentType = "text/plain; version=0.0.4; charset=utf-8"
        return response
    }
}
