import KubernetesModel

/// The options of a connection (`PodExecOptions`, `ServiceProxyOptions`), which its query gives.
enum ConnectOptions {
    /// Parameters that may come more than once.
    private static let lists: Set<String> = ["command", "ports"]

    static func object(_ http: APIRequest, _ request: ResourceRequest) -> Object {
        let row = request.subresource.flatMap(request.resource.subresource)
        var object = Object(["kind": .string(row?.kind ?? ""), "apiVersion": .string(request.type.apiVersion)])
        for name in http.query.names {
            object[name] = lists.contains(name) ? JSON(http.query.all(name)) : value(http.query[name] ?? "")
        }
        if !request.rest.isEmpty { object["path"] = .string("/" + request.rest.joined(separator: "/")) }
        return object
    }

    private static func value(_ text: String) -> JSON {
        switch text {
        case "true", "1": true
        case "false", "0": false
        default: .string(text)
        }
    }
}
