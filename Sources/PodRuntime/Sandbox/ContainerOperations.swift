import Linux

/// What a container's process does before it becomes the program: its root, mounts and identity, as runc makes them
/// for a container engine.
struct ContainerOperations: Sendable {
    let configuration: ContainerConfiguration
    /// The container's own directory, for the writable layer and the mount point of its root.
    let directory: String
    let hostname: String
    /// Directories hidden where a container's root is the host's: Martlet's own state.
    let hiddenDirectories: [String]
    /// The directory that the pod's containers share as `/dev/shm`; nil for one of the container's own.
    let sharedMemory: String?
    let machine: HostRoot
    /// The container's control groups, by their names below `/sys/fs/cgroup`.
    var controlGroups: [String: String] = [:]

    /// Directories that must exist before the list is carried out.
    var directories: [String] {
        var result = ["\(directory)/root"]
        if !machine.needsMemoryLayer {
            result += ["upper", "work"].map { "\(directory)/\($0)" }
        } else {
            result.append(writable)
        }
        if onHost, configuration.root.layers.count > 1 {
            result.append("\(directory)/host")
            if !machine.needsMemoryLayer { result += ["host-upper", "host-work"].map { "\(directory)/\($0)" } }
        }
        if configuration.root.layers.isEmpty { result.append("\(directory)/empty") }
        return result
    }

    /// Where the writable layers are.
    private var writable: String { machine.needsMemoryLayer ? "\(directory)/memory" : directory }

    private var onHost: Bool { configuration.root.layers.contains("/") }

    func start(joining groups: [String]) -> StartOperations {
        var list = StartOperations()
        for group in groups { list.write("0", to: group) }
        // Nothing that is mounted from here on may be seen outside.
        list.mount("none", on: "/", type: "", flags: Self.recursivePrivate)
        root(&list)
        devices(&list)
        kernelFilesystems(&list)
        for mount in configuration.mounts.sorted(by: { Self.depth($0.target) < Self.depth($1.target) }) {
            switch mount.source {
            case .path(let path): list.bind(path, to: mount.target, readOnly: mount.readOnly)
            case .memory(let limit):
                list.filesystem(
                    "tmpfs", on: mount.target, attributes: mount.readOnly ? [.readOnly] : [.noSetUID, .noDevices],
                    options: "mode=1777" + (limit.map { ",size=\($0)" } ?? ""))
            }
        }
        if !configuration.privileged { protect(&list) }
        if onHost { for hidden in hiddenDirectories { list.hide(hidden) } }
        if configuration.root.readOnly {
            list.mount("none", on: "\(directory)/root", type: "", flags: Self.remountReadOnly)
        }
        list.pivot()
        identity(&list, arguments: configuration.arguments, terminal: configuration.terminal)
        return list
    }

    /// For one more program in the running container.
    func execute(_ arguments: [String], terminal: Bool, size: WindowSize?, joining groups: [String])
        -> StartOperations
    {
        var list = StartOperations()
        for group in groups { list.write("0", to: group, optional: true) }
        list.joinContainer()
        identity(&list, arguments: arguments, terminal: terminal, size: size)
        return list
    }

    private func identity(_ list: inout StartOperations, arguments: [String], terminal: Bool, size: WindowSize? = nil) {
        list.changeDirectory(configuration.workingDirectory.isEmpty ? "/" : configuration.workingDirectory)
        if terminal { list.terminal(size) }
        let groups = configuration.supplementaryGroups
        list.groups(groups.contains(configuration.group) ? groups : [configuration.group] + groups)
        // Root's program gets what the bounding set leaves; any other user's nothing (capabilities(7), execve).
        if !configuration.privileged {
            list.capabilities(
                Capabilities(adding: configuration.addedCapabilities, dropping: configuration.droppedCapabilities))
        }
        list.ids(user: configuration.user, group: configuration.group)
        if configuration.noNewPrivileges { list.noNewPrivileges() }
        list.execute(arguments, environment: environment(terminal: terminal))
    }

    /// With what container engines add where the image and the pod say nothing.
    private func environment(terminal: Bool) -> [String] {
        var defaults = [
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("HOSTNAME", hostname),
            ("HOME", configuration.user == 0 ? "/root" : "/"),
        ]
        if terminal { defaults.append(("TERM", "xterm")) }
        let given = configuration.environment
        let missing = defaults.filter { name, _ in !given.contains { $0.hasPrefix("\(name)=") } }
        return given + missing.map { "\($0)=\($1)" }
    }

    private func root(_ list: inout StartOperations) {
        // The overlay filesystem wants the uppermost layer first.
        var layers = Array(configuration.root.layers.reversed())
        if layers.isEmpty { layers = ["\(directory)/empty"] }
        if machine.needsMemoryLayer {
            // At least a page, for no bytes at all mean no limit (tmpfs(5)).
            let limit = configuration.layerLimit.map { ",size=\(max($0, 4096))" } ?? ""
            list.mount("none", on: writable, type: "tmpfs", options: "mode=700\(limit)")
            list.root(writable)
            for name in ["upper", "work", "host-upper", "host-work"] { list.makeDirectory("/\(name)") }
        }
        if layers.count > 1, let host = layers.firstIndex(of: "/") {
            // All other layers lie within `/`, which the kernel refuses as overlapping; an overlay of `/` alone is
            // another filesystem.
            list.mount(
                "overlay", on: "\(directory)/host", type: "overlay",
                options: "lowerdir=/,upperdir=\(writable)/host-upper,workdir=\(writable)/host-work")
            layers[host] = "\(directory)/host"
        }
        // Options fit a page: many layers are named relative to the directory that they have in common.
        let parent = layers[0].prefix(upTo: layers[0].lastIndex(of: "/") ?? layers[0].startIndex)
        if layers.count > 16, !parent.isEmpty {
            list.changeDirectory(String(parent))
            layers = layers.map { $0.hasPrefix("\(parent)/") ? String($0.dropFirst(parent.count + 1)) : $0 }
        }
        list.mount(
            "overlay", on: "\(directory)/root", type: "overlay",
            options: "lowerdir=\(layers.joined(separator: ":")),upperdir=\(writable)/upper,workdir=\(writable)/work")
        list.root("\(directory)/root")
        if onHost { for path in machine.mounts { list.bind(path, to: path, readOnly: true, optional: true) } }
    }

    private func devices(_ list: inout StartOperations) {
        if configuration.privileged {
            list.bind("/dev", to: "/dev", readOnly: false)
        } else {
            list.filesystem(
                "tmpfs", on: "/dev", attributes: [.noSetUID], options: "mode=755,size=65536k")
            for (name, major, minor) in Self.devices {
                list.device("/dev/\(name)", mode: 0o666, major: major, minor: minor)
            }
            for (name, target) in Self.links { list.symlink("/dev/\(name)", to: target) }
        }
        list.filesystem(
            "devpts", on: "/dev/pts", attributes: [.noSetUID, .noExecute],
            options: "newinstance,ptmxmode=0666,mode=0620,gid=5")
        list.filesystem("mqueue", on: "/dev/mqueue", attributes: [.noSetUID, .noDevices, .noExecute])
        if let sharedMemory {
            list.bind(sharedMemory, to: "/dev/shm", readOnly: false)
        } else {
            list.filesystem(
                "tmpfs", on: "/dev/shm", attributes: [.noSetUID, .noDevices, .noExecute],
                options: SharedMemory.options)
        }
    }

    private func kernelFilesystems(_ list: inout StartOperations) {
        let safe: MountAttributes = [.noSetUID, .noDevices, .noExecute]
        list.filesystem("proc", on: "/proc", attributes: safe)
        list.filesystem("sysfs", on: "/sys", attributes: configuration.privileged ? safe : safe.union(.readOnly))
        guard !controlGroups.isEmpty else { return }
        // Runtimes such as Java's size themselves by what they find there.
        if controlGroups[""] == nil {
            list.filesystem("tmpfs", on: "/sys/fs/cgroup", attributes: safe, options: "mode=755,size=64k")
        }
        for (name, directory) in controlGroups {
            list.bind(directory, to: "/sys/fs/cgroup/\(name)", readOnly: !configuration.privileged, optional: true)
        }
    }

    private func protect(_ list: inout StartOperations) {
        for path in Self.hidden { list.hide(path) }
        for path in Self.readOnly { list.readOnly(path) }
    }

    private static func depth(_ path: String) -> Int { path.split(separator: "/").count }

    private static let recursivePrivate: UInt64 = 1 << 18 | 1 << 14  // MS_PRIVATE | MS_REC
    private static let remountReadOnly: UInt64 = 1 << 5 | 1 << 12 | 1  // MS_REMOUNT | MS_BIND | MS_RDONLY
    private static let devices: [(String, UInt64, UInt64)] = [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ]
    private static let links = [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
    ]
    private static let hidden = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]
    private static let readOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
}
