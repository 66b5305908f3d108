import Glibc
import Linux

/// The root of a container: an overlay of its image's layers with a writable one on top.
///
/// Mounted in the node's own mount namespace, where the layers are, for as long as it takes to hand it over: what the
/// container gets is a mount, not a way to where it comes from.
struct ContainerRoot: Sendable {
    let filesystem: RootFilesystem
    /// The container's own directory, for the writable layer.
    let directory: String
    let machine: HostRoot
    /// Bytes that the writable layer may take where that is in memory; nil for no limit.
    let layerLimit: Int?
    let privileged: Bool

    var isHost: Bool { filesystem.layers.contains("/") }

    /// Of a writable layer in memory. At least a page, for no bytes at all mean no limit (tmpfs(5)).
    private var memoryOptions: String { "mode=700" + (layerLimit.map { ",size=\(max($0, 4096))" } ?? "") }

    /// It blocks.
    func mount() throws(SystemError) -> DetachedMount {
        // Of an agent that was killed here.
        Self.remove(directory)
        guard machine.needsMemoryLayer else { return try mount(writable: directory) }
        let writable = "\(directory)/memory"
        try makeDirectory(writable)
        // The overlay keeps it when it is unmounted.
        let memory = try MemoryMount(at: writable, flags: privileged ? 0 : Int(MS_NODEV), options: memoryOptions)
        defer { withExtendedLifetime(memory) {} }
        return try mount(writable: writable)
    }

    /// Unmounts what an interrupted `mount` has left in a container's directory.
    static func remove(_ directory: String) {
        for name in ["root", "host", "memory"] { unmountAll(at: "\(directory)/\(name)") }
    }

    private func mount(writable: String) throws(SystemError) -> DetachedMount {
        // The overlay filesystem wants the uppermost layer first.
        var layers: [SharedDescriptor] = []
        for layer in filesystem.layers.reversed() {
            let isOverlapped = layer == "/" && filesystem.layers.count > 1
            layers.append(
                isOverlapped
                    ? try hostOverlay(writable: writable)
                    : SharedDescriptor(try Descriptor.open(layer, O_PATH | O_DIRECTORY)))
        }
        if layers.isEmpty {
            try makeDirectory("\(directory)/empty", mode: 0o755)
            layers = [SharedDescriptor(try Descriptor.open("\(directory)/empty", O_PATH | O_DIRECTORY))]
        }
        defer { unmountAll(at: "\(directory)/host") }
        return try overlay(layers, at: "\(directory)/root", writable: writable, upper: "upper", work: "work")
    }

    /// All other layers lie within `/`, which the kernel refuses as overlapping; an overlay of `/` alone is another
    /// filesystem.
    private func hostOverlay(writable: String) throws(SystemError) -> SharedDescriptor {
        let place = "\(directory)/host"
        let root = SharedDescriptor(try Descriptor.open("/", O_PATH | O_DIRECTORY))
        try attach([root], at: place, writable: writable, upper: "host-upper", work: "host-work")
        return SharedDescriptor(try Descriptor.open(place, O_PATH | O_DIRECTORY))
    }

    private func overlay(
        _ layers: [SharedDescriptor], at place: String, writable: String, upper: String, work: String
    ) throws(SystemError) -> DetachedMount {
        try attach(layers, at: place, writable: writable, upper: upper, work: work)
        defer { unmountAll(at: place) }
        return try DetachedMount(of: place, recursive: false)
    }

    /// Options fit a page: layers are named by their descriptors, which says nothing of the host to who reads
    /// `/proc/mounts` either.
    private func attach(
        _ layers: [SharedDescriptor], at place: String, writable: String, upper: String, work: String
    ) throws(SystemError) {
        for path in [place, "\(writable)/\(upper)", "\(writable)/\(work)"] { try makeDirectory(path) }
        // The root directory's own mode, whatever the agent's umask is.
        guard chmod("\(writable)/\(upper)", 0o755) == 0 else { throw SystemError("chmod", writable) }
        let own = SharedDescriptor(try Descriptor.open(writable, O_PATH | O_DIRECTORY))
        let leases = try (layers + [own]).map { descriptor throws(SystemError) in try descriptor.lease() }
        defer { withExtendedLifetime(leases) {} }
        let paths = leases.map { "/proc/self/fd/\($0.number)" }
        let options =
            "lowerdir=\(paths.dropLast().joined(separator: ":")),upperdir=\(paths[layers.count])/\(upper)"
            + ",workdir=\(paths[layers.count])/\(work)"
        guard Glibc.mount("overlay", place, "overlay", privileged ? 0 : UInt(MS_NODEV), options) == 0 else {
            throw SystemError("mount overlay", place)
        }
    }
}
