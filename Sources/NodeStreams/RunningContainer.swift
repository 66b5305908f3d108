import KubernetesModel

/// A container that runs on a node, as a process of the machine.
public struct RunningContainer: Sendable, Hashable {
    public var namespace: String
    public var pod: String
    public var container: String
    /// Its first process, by the number that the machine's `ps` shows.
    public var pid: Int
    /// CPU time since its start, in nanoseconds; nil where nothing measures it.
    public var cpuNanoseconds: Int?
    /// Memory in use, in bytes.
    public var memory: Int?

    public init(
        namespace: String, pod: String, container: String, pid: Int, cpuNanoseconds: Int? = nil, memory: Int? = nil
    ) {
        self.namespace = namespace
        self.pod = pod
        self.container = container
        self.pid = pid
        self.cpuNanoseconds = cpuNanoseconds
        self.memory = memory
    }

    /// Those of a node, from its agent's socket.
    public static func all(on socket: String) async throws -> [RunningContainer] {
        try await StreamSession.document(.containers, from: socket).items.map(RunningContainer.init)
    }

    public init(_ json: JSON) {
        self.init(
            namespace: json["namespace"].string ?? "", pod: json["pod"].string ?? "",
            container: json["container"].string ?? "", pid: json["pid"].int ?? 0,
            cpuNanoseconds: json["cpuNanoseconds"].int, memory: json["memoryBytes"].int)
    }

    public var json: JSON {
        var json: JSON = [
            "namespace": .string(namespace), "pod": .string(pod), "container": .string(container), "pid": JSON(pid),
        ]
        if let cpuNanoseconds { json["cpuNanoseconds"] = JSON(cpuNanoseconds) }
        if let memory { json["memoryBytes"] = JSON(memory) }
        return json
    }
}
