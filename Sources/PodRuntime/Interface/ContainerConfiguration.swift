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
    }
}
