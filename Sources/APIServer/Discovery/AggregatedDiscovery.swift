import APIMachinery
import Kinds
import KubernetesModel

/// Discovery in one response (`apidiscovery.k8s.io`), for newer clients.
struct AggregatedDiscovery: Sendable {
    let catalogue: Catalogue

    /// The version of the aggregated form that an `Accept` header prefers; nil where it prefers another form.
    static func version(_ accept: String?) -> String? {
        for alternative in (accept ?? "").split(separator: ",") {
            let parts = alternative.split(separator: ";").map(\.trimmed)
            guard parts.first == "application/json" else { continue }
            guard parts.contains("as=APIGroupDiscoveryList"), parts.contains("g=apidiscovery.k8s.io") else {
                return nil
            }
            if parts.contains("v=v2") { return "v2" }
            if parts.contains("v=v2beta1") { return "v2beta1" }
        }
        return nil
    }

    func response(core: Bool, _ version: String) -> APIResponse {
        var order: [String] = []
        var versions: [String: [JSON]] = [:]
        for served in catalogue.groupVersions where served.group.isEmpty == core {
            if versions[served.group] == nil { order.append(served.group) }
            versions[served.group, default: []].append([
                "version": .string(served.version), "freshness": "Current",
                "resources": .array(catalogue.resources(in: served).map(Self.entry)),
            ])
        }
        let items = order.map { name -> JSON in
            // The core group has no name.
            let metadata: JSON = name.isEmpty ? ["creationTimestamp": .null] : ["name": .string(name)]
            return ["metadata": metadata, "versions": .array(versions[name] ?? [])]
        }
        return APIResponse(
            contentType: "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList",
            bytes: JSON.object([
                "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"),
                "metadata": [:], "items": .array(items),
            ]).encoded())
    }

    private static func entry(_ info: ResourceInfo) -> JSON {
        var entry: JSON = [
            "resource": .string(info.type.plural),
            "responseKind": kind(info.type.group, info.type.version, info.type.kind),
            "scope": info.type.namespaced ? "Namespaced" : "Cluster", "singularResource": .string(info.singular),
            "verbs": JSON(info.verbs),
        ]
        if !info.shortNames.isEmpty { entry["shortNames"] = JSON(info.shortNames) }
        if !info.categories.isEmpty { entry["categories"] = JSON(info.categories) }
        if !info.subresources.isEmpty {
            entry["subresources"] = .array(
                info.subresources.map { sub in
                    [
                        "subresource": .string(sub.name),
                        "responseKind": kind(sub.group ?? info.type.group, sub.version ?? info.type.version, sub.kind),
                        "verbs": JSON(sub.verbs),
                    ]
                })
        }
        return entry
    }

    private static func kind(_ group: String, _ version: String, _ kind: String) -> JSON {
        ["group": .string(group), "version": .string(version), "kind": .string(kind)]
    }
}
