import Logging

/// Each pod in namespaces of its own, each container on a root of its own (`SandboxRuntime`).
struct SandboxLevel: IsolationLevel {
    var name: String { "sandbox" }
    var summary: String { "own namespaces, own root, own address" }

    private static let capabilities = ["SYS_ADMIN", "SYS_CHROOT", "NET_ADMIN"]
    private static let namespaces = ["mnt", "net", "pid", "uts", "ipc"]

    /// Whether the kernel knows overlay filesystems is left to the first mount, which loads a module that is not there.
    func obstacles(_ host: HostFeatures) -> [IsolationObstacle] {
        var obstacles: [IsolationObstacle] = []
        let lacking = Self.capabilities.filter { !host.capabilities.contains($0) }
        if !lacking.isEmpty {
            obstacles.append(
                IsolationObstacle(
                    reason: "lacks the capabilities \(lacking.map { "CAP_\($0)" }.joined(separator: ", "))",
                    remedy: "run martlet as root, outside a container that takes them away"))
        }
        let unknown = Self.namespaces.filter { !host.namespaces.contains($0) }
        if !unknown.isEmpty {
            obstacles.append(
                IsolationObstacle(
                    reason: "the kernel has no namespaces of type \(unknown.joined(separator: ", "))",
                    remedy: "use a kernel with CONFIG_NAMESPACES and its options"))
        }
        if !host.hasInit {
            obstacles.append(
                IsolationObstacle(
                    reason: "martlet-init cannot be executed", remedy: "install it beside martlet: make install"))
        }
        return obstacles
    }

    func makeRuntime(
        _ configuration: RuntimeConfiguration, resources: any ResourceController, logger: Logger
    ) -> any Runtime {
        SandboxRuntime(configuration: configuration, resources: resources, logger: logger)
    }
}
