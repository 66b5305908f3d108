import Glibc
import Linux

/// What a container's process does before it becomes the program: its root, mounts and identity, as runc makes them
/// for a container engine.
struct ContainerOperations: Sendable {
    let configuration: ContainerConfiguration
    /// The container's own directory, for the writable layer and the mount point of its root.
    let directory: String
    let hostname: String
    /// What is hidden where a container's root is the host's.
    let hidden: HiddenPaths
    /// The directory that the pod's containers share as `/dev/shm`; nil for one of the container's own.
    let sharedMemory: String?
    let machine: HostRoot
    /// The container's control groups, by their names below `/sys/fs/cgroup`.
    var controlGroups: [String: String] = [:]
    /// The container is kept from the machine's devices, so that it may make nodes of them.
    var guardsDevices = false

    private var root: ContainerRoot {
        ContainerRoot(
            filesystem: configuration.root, directory: directory, machine: machine,
            layerLimit: configuration.layerLimit, privileged: configuration.privileged)
    }

    /// Opens all that the container sees of the host. It blocks.
    ///
    /// - Parameter groups: the files to join the container's groups by.
    func start(joining groups: [SharedDescriptor]) throws -> StartOperations {
        var list = StartOperations()
        for group in groups { list.group(group) }
        list.groupNamespace()
        list.root(try root.mount())
        if root.isHost {
            for path in machine.mounts { if let mount = try show(path, readOnly: true) { list.bind(mount, to: path) } }
        }
        try devices(&list)
        try kernelFilesystems(&list)
        if !configuration.privileged { protect(&list) }
        if root.isHost { try hide(&list) }
        for mount in configuration.mounts.sorted(by: { Self.depth($0.target) < Self.depth($1.target) }) {
            try self.mount(mount, &list)
        }
        list.pivot()
        if configuration.root.readOnly { list.readOnly("/") }
        try identity(&list, arguments: configuration.arguments, terminal: configuration.terminal)
        return list
    }

    /// For one more program in the running container.
    func execute(
        _ arguments: [String], terminal: Bool, size: WindowSize?, joining groups: [SharedDescriptor]
    ) throws -> StartOperations {
        var list = StartOperations()
        for group in groups { list.group(group, optional: true) }
        list.joinContainer()
        try identity(&list, arguments: arguments, terminal: terminal, size: size)
        return list
    }

    private func mount(_ mount: Mount, _ list: inout StartOperations) throws(SystemError) {
        switch mount.source {
        case .path(let path):
            list.bind(try DetachedMount(of: path, attributes(readOnly: mount.readOnly)), to: mount.target)
        case .subPath(let inner, let path):
            let directory = try Descriptor.open(path, O_PATH)
            let file = try Descriptor.open(inner, in: directory, O_PATH, confined: [.beneath, .noMagicLinks])
            list.bind(try DetachedMount(of: file, attributes(readOnly: mount.readOnly)), to: mount.target)
        case .memory(let limit):
            list.filesystem(
                "tmpfs", on: mount.target, attributes: mount.readOnly ? [.readOnly] : [.noSetUID, .noDevices],
                options: "mode=1777" + (limit.map { ",size=\($0)" } ?? ""))
        }
    }

    /// What of the machine is there; nil where nothing is.
    private func show(_ path: String, readOnly: Bool) throws(SystemError) -> DetachedMount? {
        do throws(SystemError) {
            return try DetachedMount(of: path, attributes(readOnly: readOnly))
        } catch  where error.errno == ENOENT {
            return nil
        }
    }

    /// A device in a volume is a file like any other, unless the container may use the machine's devices.
    private func attributes(readOnly: Bool) -> DetachedMount.Attributes {
        var attributes: DetachedMount.Attributes = configuration.privileged ? [] : [.noDevices]
        if readOnly { attributes.insert(.readOnly) }
        return attributes
    }

    private func identity(_ list: inout StartOperations, arguments: [String], terminal: Bool, size: WindowSize? = nil)
        throws(RuntimeError)
    {
        list.changeDirectory(configuration.workingDirectory.isEmpty ? "/" : configuration.workingDirectory)
        if terminal { list.terminal(size) }
        let groups = configuration.supplementaryGroups
        list.groups(groups.contains(configuration.group) ? groups : [configuration.group] + groups)
        // Root's program gets what the bounding set leaves; any other user's nothing (capabilities(7), execve).
        if !configuration.privileged { list.capabilities(capabilities) }
        list.ids(user: configuration.user, group: configuration.group)
        list.limitOpenFiles(OpenFileLimit.inherited)
        if configuration.noNewPrivileges { list.noNewPrivileges() }
        list.keyring()
        if let filter = try seccompFilter() { list.seccomp(filter) }
        list.execute(arguments, environment: environment(terminal: terminal))
    }

    private var capabilities: Capabilities { configuration.capabilities(guardsDevices: guardsDevices) }

    private func seccompFilter() throws(RuntimeError) -> SeccompFilter? {
        // As container engines: a privileged container has none, whatever its profile.
        if configuration.privileged { return nil }
        do {
            switch configuration.seccomp {
            case .unconfined: return nil
            case .runtimeDefault(let isRequired):
                if !isRequired, SeccompFilter.obstacle != nil { return nil }
                return try .compiled(.runtimeDefault(capabilities))
            case .profile(let json): return try .compiled(SeccompProfile(json, capabilities: capabilities))
            }
        } catch {
            throw .failed("\(error)")
        }
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

    private func devices(_ list: inout StartOperations) throws(SystemError) {
        if configuration.privileged {
            list.bind(try DetachedMount(of: "/dev"), to: "/dev")
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
            list.bind(try DetachedMount(of: sharedMemory), to: "/dev/shm")
        } else {
            list.filesystem(
                "tmpfs", on: "/dev/shm", attributes: [.noSetUID, .noDevices, .noExecute],
                options: SharedMemory.options)
        }
    }

    private func kernelFilesystems(_ list: inout StartOperations) throws(SystemError) {
        let safe: DetachedMount.Attributes = [.noSetUID, .noDevices, .noExecute]
        list.filesystem("proc", on: "/proc", attributes: safe)
        list.filesystem("sysfs", on: "/sys", attributes: configuration.privileged ? safe : safe.union(.readOnly))
        guard !controlGroups.isEmpty else { return }
        // Runtimes such as Java's size themselves by what they find there.
        if controlGroups[""] == nil {
            list.filesystem("tmpfs", on: "/sys/fs/cgroup", attributes: safe, options: "mode=755,size=64k")
        }
        for (name, directory) in controlGroups {
            if let mount = try show(directory, readOnly: !configuration.privileged) {
                list.bind(mount, to: "/sys/fs/cgroup/\(name)")
            }
        }
    }

    /// What of a hidden directory is shown is the machine's own, not a layer over it.
    private func hide(_ list: inout StartOperations) throws(SystemError) {
        for entry in hidden.entries where access(entry.path, F_OK) == 0 {
            let mode = HiddenPaths.writableMode(entry.path)
            if mode == nil, entry.shown.isEmpty {
                list.hide(entry.path)
                continue
            }
            list.filesystem(
                "tmpfs", on: entry.path, attributes: [.noSetUID, .noDevices], options: "mode=\(mode ?? "755")")
            for path in entry.shown { if let mount = try show(path, readOnly: true) { list.bind(mount, to: path) } }
            if mode == nil { list.readOnly(entry.path) }
        }
    }

    private func protect(_ list: inout StartOperations) {
        for path in Self.hidden { list.hide(path) }
        for path in Self.readOnly { list.readOnly(path) }
    }

    private static func depth(_ path: String) -> Int { path.split(separator: "/").count }

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
