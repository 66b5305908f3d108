import KubernetesModel
import NodeStreams
import SystemPackage

/// Runs pods: their sandboxes (namespaces, address, cgroup) and the containers within. What CRI is to a kubelet.
///
/// Sandboxes and containers outlive the process that holds the runtime; a new one finds them with `sandboxes()`.
public protocol Runtime: Sendable {
    /// Creates a pod's sandbox. Asking again for one that runs returns it.
    func startSandbox(_ configuration: SandboxConfiguration) async throws -> Sandbox
    /// All sandboxes that exist on this node, with the containers in them, dead ones included.
    func sandboxes() async throws -> [Sandbox]
    /// Kills what runs in a sandbox and removes it, its address and its cgroups. Removing one that is gone is no error.
    func removeSandbox(podUID: String) async throws

    /// Starts one container and returns when its program has been executed.
    ///
    /// - Throws: `RuntimeError.start` where the program cannot be executed (`StartError`).
    func startContainer(_ configuration: ContainerConfiguration) async throws -> ContainerState
    /// Sends a signal to a container's first process.
    func signalContainer(_ container: ContainerID, signal: Int32) async throws
    /// Forgets a dead container and removes its writable layer.
    func removeContainer(_ container: ContainerID) async throws
    /// Runs one more program in a running container.
    func execute(_ configuration: ExecConfiguration) async throws -> any ExecSession
    /// The standard streams of a running container, for `attach`; its log goes on as before.
    func attach(_ container: ContainerID) async throws -> any ExecSession
    /// Opens a TCP connection to a port on the pod's loopback interface, for `port-forward`.
    func connect(podUID: String, port: Int) async throws -> FileDescriptor
    /// What a pod's containers use now.
    func usage(podUID: String) async throws -> [ContainerID: ResourceUsage]

    /// Each container's end, once, also of those that ended while no agent ran. One consumer only.
    var exits: AsyncStream<ContainerState> { get }
}

public enum RuntimeError: Error, Sendable, CustomStringConvertible {
    /// The container's program could not be executed; the text is what the pod's status shows.
    case start(String)
    /// No such sandbox or container, or it runs no more.
    case notFound(String)
    case failed(String)

    /// The container whose processes another is to see runs no more, or not yet.
    static func targetDoesNotRun(_ name: String) -> RuntimeError {
        .failed("invalid target container: container \"\(name)\" is not running")
    }

    public var description: String {
        switch self {
        case .start(let text), .notFound(let text), .failed(let text): text
        }
    }
}

/// One run of one container of a pod: a restart has the next number.
public struct ContainerID: Sendable, Hashable {
    public let podUID: String
    public let name: String
    public let restart: Int

    public init(podUID: String, name: String, restart: Int) {
        self.podUID = podUID
        self.name = name
        self.restart = restart
    }
}

public struct SandboxConfiguration: Sendable {
    public var podUID: String
    public var namespace: String
    public var name: String
    public var hostname: String
    /// The pod's address; nil with the node's own network (`hostNetwork`).
    public var address: String?
    /// The containers see each other's processes (`shareProcessNamespace`).
    public var sharesProcesses: Bool
    /// The containers use the machine's own System V IPC, message queues and shared memory (`hostIPC`).
    public var sharesHostIPC: Bool
    public var sysctls: [String: String]
    /// The pod's QoS class, which names its parent cgroup: Guaranteed, Burstable, BestEffort.
    public var qosClass: String
    /// Limits of the pod as a whole.
    public var limits: ResourceLimits

    public init(
        podUID: String, namespace: String, name: String, hostname: String, address: String?,
        sharesProcesses: Bool = false, sharesHostIPC: Bool = false, sysctls: [String: String] = [:],
        qosClass: String = "BestEffort",
        limits: ResourceLimits = ResourceLimits()
    ) {
        self.podUID = podUID
        self.namespace = namespace
        self.name = name
        self.hostname = hostname
        self.address = address
        self.sharesProcesses = sharesProcesses
        self.sharesHostIPC = sharesHostIPC
        self.sysctls = sysctls
        self.qosClass = qosClass
        self.limits = limits
    }
}

public struct Sandbox: Sendable {
    public var podUID: String
    public var namespace: String
    public var name: String
    public var address: String?
    /// The pod's `martlet-init`; 0 where it is dead.
    public var pid: Int32
    public var containers: [ContainerState]
    /// The ends of all runs since the sandbox's start, also of those that are forgotten; only from `sandboxes()`.
    public var past: [ContainerState]

    public init(
        podUID: String, namespace: String, name: String, address: String?, pid: Int32, containers: [ContainerState],
        past: [ContainerState] = []
    ) {
        self.podUID = podUID
        self.namespace = namespace
        self.name = name
        self.address = address
        self.pid = pid
        self.containers = containers
        self.past = past
    }
}

public struct ResourceLimits: Sendable, Hashable {
    /// Thousandths of a core; nil for no limit.
    public var cpuMillis: Int?
    /// Thousandths of a core requested, for `cpu.shares`.
    public var cpuRequestMillis: Int?
    /// Bytes; nil for no limit.
    public var memory: Int?
    /// Processes and threads; nil for no limit.
    public var processes: Int?

    public init(cpuMillis: Int? = nil, cpuRequestMillis: Int? = nil, memory: Int? = nil, processes: Int? = nil) {
        self.cpuMillis = cpuMillis
        self.cpuRequestMillis = cpuRequestMillis
        self.memory = memory
        self.processes = processes
    }
}

public struct ResourceUsage: Sendable, Hashable {
    /// CPU time used since the start, in nanoseconds.
    public var cpuNanoseconds: UInt64
    /// Memory in use that cannot be reclaimed at once, in bytes.
    public var workingSet: UInt64
    public var processes: UInt64

    public init(cpuNanoseconds: UInt64, workingSet: UInt64, processes: UInt64) {
        self.cpuNanoseconds = cpuNanoseconds
        self.workingSet = workingSet
        self.processes = processes
    }
}

/// What a container's root filesystem is made of.
public struct RootFilesystem: Sendable, Hashable {
    /// Folders of the image's layers, lowest first. `/` stands for the machine's own root (the base image `host`).
    public var layers: [String]
    public var readOnly: Bool

    public init(layers: [String], readOnly: Bool = false) {
        self.layers = layers
        self.readOnly = readOnly
    }
}

public struct Mount: Sendable, Hashable {
    public enum Source: Sendable, Hashable {
        /// A file or folder of the host.
        case path(String)
        /// A memory filesystem of at most so many bytes.
        case memory(limit: Int?)
    }

    public var source: Source
    public var target: String
    public var readOnly: Bool

    public init(source: Source, target: String, readOnly: Bool) {
        self.source = source
        self.target = target
        self.readOnly = readOnly
    }
}

public struct ContainerConfiguration: Sendable {
    public var id: ContainerID
    public var root: RootFilesystem
    public var arguments: [String]
    /// `NAME=value`
    public var environment: [String]
    public var workingDirectory: String
    public var user: UInt32
    public var group: UInt32
    public var supplementaryGroups: [UInt32]
    public var mounts: [Mount]
    public var limits: ResourceLimits
    /// Bytes that its writable layer may take, where that is in memory; nil for no limit.
    public var layerLimit: Int?
    public var terminal: Bool
    public var stdin: Bool
    /// `stdinOnce`: the first attached client's end of input closes the container's.
    public var stdinOnce: Bool
    public var privileged: Bool
    public var addedCapabilities: [String]
    public var droppedCapabilities: [String]
    public var noNewPrivileges: Bool
    /// The container whose processes it sees (`targetContainerName` of an ephemeral container).
    public var target: ContainerID?
    /// The CRI log file; its folder exists.
    public var logPath: String

    public init(
        id: ContainerID, root: RootFilesystem, arguments: [String], environment: [String], workingDirectory: String,
        logPath: String
    ) {
        self.id = id
        self.root = root
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.logPath = logPath
        user = 0
        group = 0
        supplementaryGroups = []
        mounts = []
        limits = ResourceLimits()
        terminal = false
        stdin = false
        stdinOnce = false
        privileged = false
        addedCapabilities = []
        droppedCapabilities = []
        noNewPrivileges = false
    }
}

/// What became of one run of a container.
public struct ContainerState: Sendable, Hashable {
    public enum Phase: Sendable, Hashable {
        case running
        /// `code` is the exit code, or 128 + `signal`.
        case exited(code: Int32, signal: Int32, outOfMemory: Bool, at: Timestamp)
    }

    public var id: ContainerID
    /// In the node's PID namespace, as the host's `ps` shows it.
    public var pid: Int32
    public var startedAt: Timestamp
    public var phase: Phase

    public init(id: ContainerID, pid: Int32, startedAt: Timestamp, phase: Phase) {
        self.id = id
        self.pid = pid
        self.startedAt = startedAt
        self.phase = phase
    }
}

public struct ExecConfiguration: Sendable {
    public var container: ContainerID
    public var arguments: [String]
    public var stdin: Bool
    public var stdout: Bool
    public var stderr: Bool
    public var terminal: Bool
    /// The terminal's size when the program starts, if it is known.
    public var terminalSize: TerminalSize?

    public init(
        container: ContainerID, arguments: [String], stdin: Bool = false, stdout: Bool = true, stderr: Bool = true,
        terminal: Bool = false, terminalSize: TerminalSize? = nil
    ) {
        self.terminalSize = terminalSize
        self.container = container
        self.arguments = arguments
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.terminal = terminal
    }
}

/// A running program's streams. With a terminal, `stdin` and `stdout` are both its master side.
public protocol ExecSession: Sendable {
    /// Write here; closing it is the program's end of input. The session's user closes the descriptors.
    var stdin: FileDescriptor? { get }
    var stdout: FileDescriptor? { get }
    var stderr: FileDescriptor? { get }
    func resize(columns: UInt16, rows: UInt16) async throws
    /// Waits for the program's end; returns its exit code, or 128 + signal.
    func wait() async throws -> Int32
    /// Kills the program that was executed for this session; a container's own, to which one is attached, is not.
    func kill() async
}
