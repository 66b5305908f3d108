import Addresses
import Linux

/// The node that a runtime serves.
package struct RuntimeConfiguration: Sendable {
    /// `<state>/nodes/<node>`
    package var nodeFolder: String
    /// `<run>`: sockets go to `<run>/p/<16 hex>/s`.
    package var runFolder: String
    /// The executable `martlet-init`.
    package var initPath: String
    /// The node's bridge, and its address, which is the pods' gateway.
    package var bridge: String
    package var gateway: IPv4Address
    /// Directories that containers on the host's own root must not see: the parents of state and run directories.
    package var hiddenFolders: [String]

    package init(
        nodeFolder: String, runFolder: String, initPath: String, bridge: String = "cbr0", gateway: IPv4Address,
        hiddenFolders: [String]
    ) {
        self.nodeFolder = nodeFolder
        self.runFolder = runFolder
        self.initPath = initPath
        self.bridge = bridge
        self.gateway = gateway
        self.hiddenFolders = hiddenFolders
    }
}
