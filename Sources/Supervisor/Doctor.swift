import CSystemLibrary
import Glibc
import Linux
import Networking
import PodRuntime
import Systemd

/// What this machine offers a cluster and what it lacks, each with its consequence and its remedy.
public struct Doctor: Sendable {
    public struct Finding: Sendable, Hashable {
        public enum State: String, Sendable {
            /// All is well.
            case available
            /// Martlet does the next best thing.
            case degraded
            /// A cluster cannot start without it.
            case missing
        }

        public let capability: String
        public let state: State
        /// What was found.
        public let detail: String
        /// What that means; empty where all is well.
        public let consequence: String
        public let remedy: String

        init(_ capability: String, _ state: State, _ detail: String, consequence: String = "", remedy: String = "") {
            self.capability = capability
            self.state = state
            self.detail = detail
            self.consequence = consequence
            self.remedy = remedy
        }
    }

    private let programs: Programs

    public init() throws(SupervisorError) { programs = try Programs() }

    /// Tries everything out; changes nothing on the machine.
    public func examine() async -> [Finding] {
        [
            privileges(), await namespaces(), isolation(), overlay(), controlGroups(), devices(), systemCalls(),
            await serviceRules(), systemd(),
            library(
                "image layers", "libarchive.so.13", package: "libarchive13",
                consequence: "images cannot be built or run"),
            egress(), kubectl(),
        ]
    }

    private func privileges() -> Finding {
        if getuid() == 0 { return Finding("privileges", .available, "root") }
        return Finding(
            "privileges", .missing, "user \(getuid())", consequence: "this version starts clusters as root only",
            remedy: "run martlet with sudo")
    }

    private func namespaces() async -> Finding {
        let spawn = Spawn(
            [programs.initializer, "hold", "--mnt", "--net"], environment: [], newSession: true)
        guard let pid = try? spawn.start() else {
            return Finding(
                "namespaces", .missing, "\(programs.initializer) cannot be started",
                consequence: "no cluster can start", remedy: "install martlet-init beside martlet: make install")
        }
        let own = try? namespaceIdentity(.net, of: getpid())
        var separate = false
        var exit: ExitStatus?
        for _ in 0..<200 {
            exit = ExitStatus.reap(pid)
            if exit != nil { break }
            if let theirs = try? namespaceIdentity(.net, of: pid), theirs != own {
                separate = true
                break
            }
            try? await Task.sleep(for: .milliseconds(5))
        }
        let joined = separate ? await join(pid) : false
        if exit == nil, let process = ProcessIdentity(pid: pid) {
            process.signal(SIGKILL)
            await process.waitForEnd()
            _ = ExitStatus.reap(pid)
        }
        if joined { return Finding("namespaces", .available, "mount and network namespaces can be made and joined") }
        return Finding(
            "namespaces", .missing,
            "mount and network namespaces cannot be " + (separate ? "joined" : "made"),
            consequence: "no cluster can start",
            remedy: "run as root with CAP_SYS_ADMIN, CAP_SYS_CHROOT and CAP_NET_ADMIN, outside a container that takes "
                + "them away; instead of chroot(2) use pivot_root(2), as bwrap and systemd-nspawn do")
    }

    /// Whether a process can join the namespaces of the process `pid`.
    private func join(_ pid: pid_t) async -> Bool {
        guard let nothing = try? SharedDescriptor(Descriptor.open("/dev/null", O_WRONLY)) else { return false }
        let spawn = Spawn(
            [programs.initializer, "enter", "--pid", "\(pid)", "--", programs.martlet, "version"],
            environment: Spawn.ownEnvironment, descriptors: [(nothing, 1), (nothing, 2)])
        guard let joining = try? spawn.start() else { return false }
        if let process = ProcessIdentity(pid: joining) { await process.waitForEnd() }
        return ExitStatus.reap(joining) == ExitStatus(code: 0, signal: 0)
    }

    /// What pods will have, by the privileges of this process.
    private func isolation() -> Finding {
        do throws(NoIsolationLevel) {
            let level = try IsolationLevels.choose(HostFeatures.probe(initPath: programs.initializer))
            return Finding("isolation", .available, "\(level.name): \(level.summary)")
        } catch {
            let obstacles = error.refusals.flatMap(\.obstacles)
            return Finding(
                "isolation", .missing, error.refusals.map(\.description).joined(separator: "; "),
                consequence: "pods cannot run", remedy: Set(obstacles.map(\.remedy)).sorted().joined(separator: "; "))
        }
    }

    private func overlay() -> Finding {
        let known = (try? Files.text("/proc/filesystems")) ?? nil
        if known?.split(whereSeparator: \.isWhitespace).contains("overlay") ?? false {
            return Finding("overlay filesystem", .available, "known to the kernel")
        }
        return Finding(
            "overlay filesystem", .missing, "not known to the kernel", consequence: "containers get no root filesystem",
            remedy: "modprobe overlay")
    }

    private func controlGroups() -> Finding {
        let wanted = CgroupV1.controllers
        let found = CgroupV1()?.roots.keys.sorted() ?? []
        let lacking = wanted.filter { !found.contains($0) }
        if lacking.isEmpty {
            return Finding("resource limits", .available, "cgroup v1: \(found.joined(separator: ", "))")
        }
        // Version 2 is used only where version 1 has none of the controllers.
        if found.isEmpty, let version2 = CgroupV2(enabling: false) {
            let absent = CgroupV2.wanted.filter { !version2.controllers.contains($0) }
            let detail = "cgroup v2: \(version2.controllers.sorted().joined(separator: ", "))"
            if absent.isEmpty { return Finding("resource limits", .available, detail) }
            return Finding(
                "resource limits", .degraded, detail,
                consequence: "limits of \(absent.joined(separator: ", ")) are not enforced, their use is not measured",
                remedy: "enable the controllers in /sys/fs/cgroup/cgroup.subtree_control")
        }
        return Finding(
            "resource limits", .degraded, "no cgroups v1 of \(lacking.joined(separator: ", ")) that can be written",
            consequence: "limits of \(lacking.joined(separator: ", ")) are not enforced and their use is not measured",
            remedy: "run as root, with the controllers mounted writable")
    }

    private func systemCalls() -> Finding {
        guard let obstacle = SeccompFilter.obstacle else {
            return Finding("system call filters", .available, "libseccomp")
        }
        return Finding(
            "system call filters", .degraded, obstacle,
            consequence: "containers may make any system call; those that ask for a seccomp profile do not start",
            remedy: "apt-get install libseccomp2")
    }

    private func devices() -> Finding {
        if CgroupV1()?.guardsDevices ?? false { return Finding("device rules", .available, "cgroup v1: devices") }
        if CgroupV1() == nil, CgroupV2.guardsDevices { return Finding("device rules", .available, "cgroup v2: BPF") }
        return Finding(
            "device rules", .degraded, "no control group keeps a container from the machine's devices",
            consequence: "containers do without CAP_MKNOD",
            remedy: "run as root, with the devices controller or a kernel with CONFIG_CGROUP_BPF")
    }

    private func serviceRules() async -> Finding {
        let fault: String? = await Blocking.run {
            do throws(Nftables.Failure) {
                _ = try Nftables()
                return nil
            } catch {
                return error.description
            }
        }
        guard let fault else { return Finding("Service addresses", .available, "libnftables") }
        return Finding(
            "Service addresses", .degraded, fault,
            consequence: "ClusterIPs and node ports do not work inside the cluster; LoadBalancer addresses do",
            remedy: "apt-get install libnftables1")
    }

    private func systemd() -> Finding {
        let detail =
            access("/run/systemd/system", F_OK) == 0 ? "systemd runs this machine" : "systemd does not run here"
        if Notify.isLibraryAvailable { return Finding("systemd", .available, "libsystemd; \(detail)") }
        return Finding(
            "systemd", .degraded, "libsystemd.so.0 cannot be loaded; \(detail)",
            consequence: "readiness is reported by the documented protocol instead; where systemd runs, a cluster ends "
                + "with the service that starts it",
            remedy: "apt-get install libsystemd0")
    }

    private func library(_ capability: String, _ name: String, package: String, consequence: String) -> Finding {
        var problem: UnsafePointer<CChar>?
        if let handle = csystem_library_open(name, &problem) {
            dlclose(handle)
            return Finding(capability, .available, name)
        }
        let reason = problem.map { ": " + String(cString: $0) } ?? ""
        return Finding(
            capability, .degraded, "\(name) cannot be loaded\(reason)", consequence: consequence,
            remedy: "apt-get install \(package)")
    }

    private func kubectl() -> Finding {
        let directories = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
        if let directory = directories.first(where: { access("\($0)/kubectl", X_OK) == 0 }) {
            return Finding("kubectl", .available, "\(directory)/kubectl")
        }
        return Finding(
            "kubectl", .degraded, "not on PATH", consequence: "there is no client to use the cluster with",
            remedy: "apt-get install kubernetes-client")
    }
}
