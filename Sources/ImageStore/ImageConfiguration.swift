import KubernetesModel
import Linux

/// How an image's program is run: the `config` part of the OCI image configuration.
public struct ImageConfiguration: Sendable, Hashable {
    public var entrypoint: [String]?
    public var command: [String]?
    /// `NAME=value`
    public var environment: [String]
    /// As written: a name or number, with or without `:group`. Empty for root.
    public var user: String
    /// Empty for `/`.
    public var workingDirectory: String
    /// `80/tcp`
    public var exposedPorts: [String]
    public var volumes: [String]
    /// A name or a number; nil for `SIGTERM`.
    public var stopSignal: String?
    public var labels: [String: String]
    /// What runs the shell forms of instructions; nil for `/bin/sh -c`.
    public var shell: [String]?

    public init(
        environment: [String] = [], entrypoint: [String]? = nil, command: [String]? = nil,
        labels: [String: String] = [:]
    ) {
        self.entrypoint = entrypoint
        self.command = command
        self.environment = environment
        self.labels = labels
        user = ""
        workingDirectory = ""
        exposedPorts = []
        volumes = []
    }

    /// Set to `host` on images whose lowest layer is the machine's own root filesystem.
    public static let baseLabel = "dev.martlet.image.base"
    public static let defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    public var isOnHost: Bool { labels[Self.baseLabel] == "host" }

    /// The value of an environment variable.
    public func variable(_ name: String) -> String? {
        environment.last { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    mutating func setVariable(_ name: String, to value: String) {
        let entry = "\(name)=\(value)"
        if let index = environment.firstIndex(where: { $0.hasPrefix(name + "=") }) {
            environment[index] = entry
        } else {
            environment.append(entry)
        }
    }
}

extension ImageConfiguration {
    /// From an OCI image configuration document.
    init(document: JSON) {
        let config = document["config"]
        entrypoint = config["Entrypoint"].array.map { $0.compactMap(\.string) }
        command = config["Cmd"].array.map { $0.compactMap(\.string) }
        environment = config["Env"].strings
        user = config["User"].string ?? ""
        workingDirectory = config["WorkingDir"].string ?? ""
        exposedPorts = (config["ExposedPorts"].object ?? [:]).keys.sorted()
        volumes = (config["Volumes"].object ?? [:]).keys.sorted()
        stopSignal = config["StopSignal"].string
        labels = config["Labels"].stringMap
        shell = config["Shell"].array.map { $0.compactMap(\.string) }
    }

    /// The OCI image configuration document: the same input gives the same bytes, so its date is a fixed one.
    func document(diffIDs: [String], history: [JSON]) -> JSON {
        var config: JSON = .object([:])
        if let entrypoint { config["Entrypoint"] = JSON(entrypoint) }
        if let command { config["Cmd"] = JSON(command) }
        if !environment.isEmpty { config["Env"] = JSON(environment) }
        if !user.isEmpty { config["User"] = JSON(user) }
        if !workingDirectory.isEmpty { config["WorkingDir"] = JSON(workingDirectory) }
        if !exposedPorts.isEmpty { config["ExposedPorts"] = Self.set(exposedPorts) }
        if !volumes.isEmpty { config["Volumes"] = Self.set(volumes) }
        if let stopSignal { config["StopSignal"] = JSON(stopSignal) }
        if !labels.isEmpty { config["Labels"] = JSON(labels) }
        if let shell { config["Shell"] = JSON(shell) }
        return [
            "architecture": .string(machineArchitecture), "os": "linux", "created": "1970-01-01T00:00:00Z",
            "config": config, "rootfs": ["type": "layers", "diff_ids": JSON(diffIDs)], "history": .array(history),
        ]
    }

    private static func set(_ keys: [String]) -> JSON {
        .object(Dictionary(keys.map { ($0, JSON.object([:])) }, uniquingKeysWith: { $1 }))
    }
}
