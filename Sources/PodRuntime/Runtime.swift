/// PodRuntime: what runs pods on one machine, as a container runtime does for a kubelet.
///
/// The `Runtime` protocol and its implementations, one an isolation level; the drivers that limit and measure resources;
/// the connection to a pod's `martlet-init`. It knows of pods what a `SandboxConfiguration` and a
/// `ContainerConfiguration` say, never the API: what to run and when to run it again is the node agent's to decide.

import KubernetesModel
import NodeStreams
import SystemPackage

/// Runs pods: their sandboxes (namespaces, address, cgroup) and the containers within. What CRI is to a kubelet.
///
/// Sandboxes and containers outlive the process that holds the runtime; a new one finds them with `sandboxes()`.
package protocol Runtime: Sendable {
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

package enum RuntimeError: Error, Sendable, CustomStringConvertible {
    /// The container's program could not be executed; the text is what the pod's status shows.
    case start(String)
    /// No such sandbox or container, or it runs no more.
    case notFound(String)
    case failed(String)

    /// The container whose processes another is to see runs no more, or not yet.
    package static func targetDoesNotRun(_ name: String) -> RuntimeError {
        .failed("invalid target container: container \"\(name)\" is not running")
    }

    package var description: String {
        switch self {
        case .start(let text), .notFound(let text), .failed(let text): text
        }
    }
}

/// One run of one container of a pod: a restart has the next number.
package struct ContainerID: Sendable, Hashable {
    package let podUID: String
    package let name: String
    package let restart: Int

    package init(podUID: String, name: String, restart: Int) {
        self.podUID = podUID
        self.name = name
        self.restart = restart
    }
}

package struct SandboxConfiguration: Sendable {
    package var podUID: String
    package var namespace: String
    package var name: String
    package var hostname: String
    /// The pod's address; nil with the node's own network (`hostNetwork`).
    package var address: String?
    /// The containers see each other's processes (`shareProcessNamespace`).
    package var sharesProcesses: Bool
    /// The containers use the machine's own System V IPC, message queues and shared memory (`hostIPC`).
    package var sharesHostIPC: Bool
    package var sysctls: [String: String]
    /// The pod's QoS class, which names its parent cgroup: Guaranteed, Burstable, BestEffort.
    package var qosClass: String
    /// Limits of the pod as a whole.
    package var limits: ResourceLimits

    package init(
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

package struct Sandbox: Sendable {
    package var podUID: String
    package var namespace: String
    package var name: String
    package var address: String?
    /// The pod's `martlet-init`; 0 where it is dead.
    package var pid: Int32
    package var containers: [ContainerState]
    /// The ends of all runs since the sandbox's start, also of those that are forgotten; only from `sandboxes()`.
    package var past: [ContainerState]

    package init(
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

package struct ResourceLimits: Sendable, Hashable {
    /// Thousandths of a core; nil for no limit.
    package var cpuMillis: Int?
    /// Thousandths of a core requested, for `cpu.shares`.
    package var cpuRequestMillis: Int?
    /// Bytes; nil for no limit.
    package var memory: Int?
    /// Processes and threads; nil for no limit.
    package var processes: Int?

    package init(cpuMillis: Int? = nil, cpuRequestMillis: Int? = nil, memory: Int? = nil, processes: Int? = nil) {
        self.cpuMillis = cpuMillis
        self.cpuRequestMillis = cpuRequestMillis
        self.memory = memory
        self.processes = processes
    }
}

package struct ResourceUsage: Sendable, Hashable {
    /// CPU time used since the start, in nanoseconds.
    package var cpuNanoseconds: UInt64
    /// Memory in use that cannot be reclaimed at once, in bytes.
    package var workingSet: UInt64
    package var processes: UInt64

    package init(cpuNanoseconds: UInt64, workingSet: UInt64, processes: UInt64) {
        self.cpuNanoseconds = cpuNanoseconds
        self.workingSet = workingSet
        self.processes = processes
    }
}

/// What a container's root filesystem is made of.
package struct RootFilesystem: Sendable, Hashable {
    /// Folders of the image's layers, lowest first. `/` stands for the machine's own root (the base image `host`).
    package var layers: [String]
    package var readOnly: Bool

    package init(layers: [String], readOnly: Bool = false) {
        self.layers = layers
        self.readOnly = readOnly
    }
}

package struct Mount: Sendable, Hashable {
    package enum Source: Sendable, Hashable {
        /// A file or folder of the host.
        case path(String)
        /// A memory filesystem of at most so many bytes.
        case memory(limit: Int?)
    }

    package var source: Source
    package var target: String
    package var readOnly: Bool

    package init(source: Source, target: String, readOnly: Bool) {
        self.source = source
        self.target = target
        self.readOnly = readOnly
    }
}

package struct ContainerConfiguration: Sendable {
    package var id: ContainerID
    package var root: RootFilesystem
    package var arguments: [String]
    /// `NAME=value`
    package var environment: [String]
    package var workingDirectory: String
    package var user: UInt32
    package var group: UInt32
    package var supplementaryGroups: [UInt32]
    package var mounts: [Mount]
    package var limits: ResourceLimits
    /// Bytes that its writable layer may take, where that is in memory; nil for no limit.
    package var layerLimit: Int?
    package var terminal: Bool
    package var stdin: Bool
    /// `stdinOnce`: the first attached client's end of input closes the container's.
    package var stdinOnce: Bool
    package var privileged: Bool
    package var addedCapabilities: [String]
    package var droppedCapabilities: [String]
    package var noNewPrivileges: Bool
    /// The container whose processes it sees (`targetContainerName` of an ephemeral container).
    package var target: ContainerID?
    /// The CRI log file; its folder exists.
    package var logPath: String

    package init(
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
package struct ContainerState: Sendable, Hashable {
    package enum Phase: Sendable, Hashable {
        case running
        /// `code` is the exit code, or 128 + `signal`.
        case exited(code: Int32, signal: Int32, outOfMemory: Bool, at: Timestamp)
    }

    package var id: ContainerID
    /// In the node's PID namespace, as the host's `ps` shows it.
    package var pid: Int32
    package var startedAt: Timestamp
    package var phase: Phase

    package init(id: ContainerID, pid: Int32, startedAt: Timestamp, phase: Phase) {
        self.id = id
        self.pid = pid
        self.startedAt = startedAt
        self.phase = phase
    }
}

package struct ExecConfiguration: Sendable {
    package var container: ContainerID
    package var arguments: [String]
    package var stdin: Bool
    package var stdout: Bool
    package var stderr: Bool
    package var terminal: Bool
    /// The terminal's size when the program starts, if it is known.
    package var terminalSize: TerminalSize?

    package init(
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
package protocol ExecSession: Sendable {
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
