/// PodRuntime: what runs pods on one machine, as a container runtime does for a kubelet.
///
/// The `Runtime` protocol and its implementations, one an isolation level; the drivers that limit and measure resources;
/// the connection to a pod's `martlet-init`. It knows of pods what a `SandboxConfiguration` and a
/// `ContainerConfiguration` say, never the API: what to run and when to run it again is the node agent's to decide.
///
/// Directories, each using only those before it: Interface, Resources (one file a driver), Seccomp, Init (the connection
/// to a pod's init and its protocol), Sandbox, Levels (one file a level, and the choice).

import Linux

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
    func connect(podUID: String, port: Int) async throws -> SharedDescriptor
    /// What a pod's containers use now.
    func usage(podUID: String) async throws -> [ContainerID: ResourceUsage]

    /// Each container's end, once, also of those that ended while no agent ran. One consumer only.
    var exits: AsyncStream<ContainerState> { get }
}
