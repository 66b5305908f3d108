import KubernetesModel

/// How to run a container.
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
    package var seccomp: Seccomp
    /// The container whose processes it sees (`targetContainerName` of an ephemeral container).
    package var target: ContainerID?
    /// The CRI log file; its directory exists.
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
        seccomp = .runtimeDefault(required: false)
    }
}

extension ContainerConfiguration {
    /// What its programs can have.
    ///
    /// - Parameter guardsDevices: it is kept from the machine's devices. Where it is not, it cannot make nodes of them,
    ///   whatever it asks for.
    package func capabilities(guardsDevices: Bool) -> Capabilities {
        if privileged { return .all }
        return Capabilities(
            adding: addedCapabilities, dropping: droppedCapabilities + (guardsDevices ? [] : ["MKNOD"]))
    }
}

/// Which system calls a container's programs may make.
package enum Seccomp: Sendable, Hashable {
    case unconfined
    /// What container engines allow. Where the node has no filters, a container that did not ask for one does without.
    case runtimeDefault(required: Bool)
    /// A profile of the node's own, as engines have them.
    case profile(JSON)
}
