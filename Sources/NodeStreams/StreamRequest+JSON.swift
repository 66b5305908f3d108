import KubernetesModel

extension StreamRequest {
    public var json: JSON {
        switch self {
        case .logs(let request): ["logs": request.json]
        case .exec(let request): ["exec": request.json]
        case .attach(let request): ["attach": request.json]
        case .portForward(let uid, let port): ["portForward": ["podUID": .string(uid), "port": JSON(port)]]
        case .statistics: ["statistics": [:]]
        case .containers: ["containers": [:]]
        }
    }

    /// - Throws: a `Status` for JSON that is no request.
    public init(_ json: JSON) throws(Status) {
        let members = json.object ?? [:]
        guard members.count == 1, let (kind, value) = members.first else {
            throw .badRequest("a stream's request has one member, its kind: \(json)")
        }
        switch kind {
        case "logs": self = .logs(LogRequest(value))
        case "exec": self = .exec(ExecRequest(value))
        case "attach": self = .attach(ExecRequest(value))
        case "portForward":
            guard let port = value["port"].int, (1...65535).contains(port) else {
                throw .badRequest("port must be between 1 and 65535: \(value["port"])")
            }
            self = .portForward(podUID: value["podUID"].string ?? "", port: port)
        case "statistics": self = .statistics
        case "containers": self = .containers
        default: throw .badRequest("unknown kind of stream: \(kind)")
        }
    }
}

extension LogRequest {
    fileprivate var json: JSON {
        var json: JSON = [
            "namespace": .string(namespace), "pod": .string(pod), "podUID": .string(podUID),
            "container": .string(container),
        ]
        if previous { json["previous"] = true }
        if follow { json["follow"] = true }
        if timestamps { json["timestamps"] = true }
        if let sinceSeconds { json["sinceSeconds"] = JSON(sinceSeconds) }
        if let sinceTime { json["sinceTime"] = .string(sinceTime.nano) }
        if let tailLines { json["tailLines"] = JSON(tailLines) }
        if let limitBytes { json["limitBytes"] = JSON(limitBytes) }
        return json
    }

    fileprivate init(_ json: JSON) {
        self.init(
            namespace: json["namespace"].string ?? "", pod: json["pod"].string ?? "",
            podUID: json["podUID"].string ?? "", container: json["container"].string ?? "")
        previous = json["previous"].bool ?? false
        follow = json["follow"].bool ?? false
        timestamps = json["timestamps"].bool ?? false
        sinceSeconds = json["sinceSeconds"].int
        sinceTime = json["sinceTime"].string.flatMap { Timestamp($0) }
        tailLines = json["tailLines"].int
        limitBytes = json["limitBytes"].int
    }
}

extension ExecRequest {
    fileprivate var json: JSON {
        var json: JSON = [
            "namespace": .string(namespace), "pod": .string(pod), "podUID": .string(podUID),
            "container": .string(container), "command": JSON(command), "stdin": .bool(stdin), "stdout": .bool(stdout),
            "stderr": .bool(stderr), "tty": .bool(tty),
        ]
        if let terminalSize { json["terminalSize"] = terminalSize.json }
        return json
    }

    fileprivate init(_ json: JSON) {
        self.init(
            namespace: json["namespace"].string ?? "", pod: json["pod"].string ?? "",
            podUID: json["podUID"].string ?? "", container: json["container"].string ?? "",
            command: json["command"].strings, stdin: json["stdin"].bool ?? false, stdout: json["stdout"].bool ?? false,
            stderr: json["stderr"].bool ?? false, tty: json["tty"].bool ?? false)
        terminalSize = TerminalSize(json["terminalSize"])
    }
}
