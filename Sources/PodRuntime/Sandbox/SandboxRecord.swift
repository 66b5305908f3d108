import KubernetesModel
import Linux

/// The record of a sandbox on disk (`pods/<uid>/sandbox.json`): enough to find it again after a crash.
struct SandboxRecord: Sendable {
    var podUID: String
    var namespace: String
    var name: String
    var hostname: String
    var address: String?
    var sharesProcesses: Bool
    var sharesHostIPC: Bool
    var qosClass: String
    /// The init, and when it started.
    var process: ProcessIdentity
    /// What the init understands (`CInitProtocol.h`).
    var initProtocol: Int

    /// Of the requests that an init takes; it changes with those of start and exec.
    private static let currentProtocol = 2
    /// The init starts containers for this version of the agent. Of one that does not, those that run go on.
    var isCurrent: Bool { initProtocol == Self.currentProtocol }

    init(_ configuration: SandboxConfiguration, process: ProcessIdentity) {
        podUID = configuration.podUID
        namespace = configuration.namespace
        name = configuration.name
        hostname = configuration.hostname
        address = configuration.address
        sharesProcesses = configuration.sharesProcesses
        sharesHostIPC = configuration.sharesHostIPC
        qosClass = configuration.qosClass
        self.process = process
        initProtocol = Self.currentProtocol
    }

    init?(_ json: JSON) {
        guard let uid = json["podUID"].string, let namespace = json["namespace"].string, let name = json["name"].string,
            let process = json["process"].string.flatMap({ ProcessIdentity($0) })
        else { return nil }
        podUID = uid
        self.namespace = namespace
        self.name = name
        hostname = json["hostname"].string ?? name
        address = json["address"].string
        sharesProcesses = json["sharesProcesses"].bool ?? false
        sharesHostIPC = json["sharesHostIPC"].bool ?? false
        qosClass = json["qosClass"].string ?? "BestEffort"
        self.process = process
        initProtocol = json["initProtocol"].int ?? 1
    }

    var json: JSON {
        var json: JSON = [
            "podUID": .string(podUID), "namespace": .string(namespace), "name": .string(name),
            "hostname": .string(hostname), "sharesProcesses": .bool(sharesProcesses),
            "sharesHostIPC": .bool(sharesHostIPC), "qosClass": .string(qosClass),
            "process": .string(process.description), "initProtocol": JSON(initProtocol),
        ]
        if let address { json["address"] = .string(address) }
        return json
    }
}

extension ContainerConfiguration {
    /// What `exec` needs of a container, but for its environment: who and where its programs are
    /// (`containers/<name>/<restart>/exec.json`).
    var execRecord: JSON {
        [
            "workingDirectory": .string(workingDirectory), "user": JSON(Int(user)), "group": JSON(Int(group)),
            "supplementaryGroups": .array(supplementaryGroups.map { JSON(Int($0)) }),
            "privileged": .bool(privileged), "addedCapabilities": JSON(addedCapabilities),
            "droppedCapabilities": JSON(droppedCapabilities), "noNewPrivileges": .bool(noNewPrivileges),
            "seccomp": seccomp.record, "startedAt": .string(Timestamp.now.nano),
        ]
    }

    init(id: ContainerID, execRecord json: JSON, environment: [String]) {
        self.init(
            id: id, root: RootFilesystem(layers: []), arguments: [], environment: environment,
            workingDirectory: json["workingDirectory"].string ?? "/", logPath: "")
        user = UInt32(json["user"].int ?? 0)
        group = UInt32(json["group"].int ?? 0)
        supplementaryGroups = json["supplementaryGroups"].items.compactMap { $0.int.map(UInt32.init) }
        privileged = json["privileged"].bool ?? false
        addedCapabilities = json["addedCapabilities"].strings
        droppedCapabilities = json["droppedCapabilities"].strings
        noNewPrivileges = json["noNewPrivileges"].bool ?? false
        seccomp = Seccomp(record: json["seccomp"])
    }
}

extension Seccomp {
    /// A name, or the profile itself, whose file may change.
    fileprivate var record: JSON {
        switch self {
        case .unconfined: "Unconfined"
        case .runtimeDefault(let required): required ? "RuntimeDefault" : .null
        case .profile(let profile): profile
        }
    }

    fileprivate init(record: JSON) {
        switch record {
        case .null: self = .runtimeDefault(required: false)
        case "Unconfined": self = .unconfined
        case .string: self = .runtimeDefault(required: true)
        default: self = .profile(record)
        }
    }
}

/// One line of the file that the init writes exits to: `CODE SIGNAL START END NAME/RESTART`.
struct ExitRecord: Sendable {
    let key: String
    let code: Int32
    let signal: Int32
    let started: Timestamp
    let ended: Timestamp

    init?(_ line: Substring) {
        let fields = line.split(separator: " ", maxSplits: 4)
        guard fields.count == 5, let code = Int32(fields[0]), let signal = Int32(fields[1]),
            let started = Self.moment(fields[2]), let ended = Self.moment(fields[3])
        else { return nil }
        key = String(fields[4])
        self.code = code
        self.signal = signal
        self.started = started
        self.ended = ended
    }

    private static func moment(_ text: Substring) -> Timestamp? {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let seconds = Int(parts[0]), let nanoseconds = Int(parts[1]) else { return nil }
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }
}

extension ContainerID {
    /// How the init calls a container of its pod.
    var key: String { "\(name)/\(restart)" }

    init?(podUID: String, key: String) {
        let parts = key.split(separator: "/")
        guard parts.count == 2, let restart = Int(parts[1]) else { return nil }
        self.init(podUID: podUID, name: String(parts[0]), restart: restart)
    }
}
