import Glibc
import ImageStore
import KubernetesModel
import Linux
import PodRuntime

/// Makes a container's configuration from its specification, its image and its pod's volumes.
struct ContainerPlan: Sendable {
    let id: ContainerID
    let container: Container
    let pod: Object
    let image: ResolvedImage
    let paths: PodPaths
    /// Of the node's own profiles.
    let seccompDirectory: String
    /// By the volume's name.
    let volumes: [String: MountableVolume]
    let environment: Environment
    /// The run whose processes an ephemeral container sees.
    var target: ContainerID?
    /// Without the image's own variables, for `subPathExpr` and the expansion of commands.
    let declared: Environment

    /// Makes the directories and files that the container needs. It blocks.
    ///
    /// - Throws: `StartFailure`
    func make() throws -> ContainerConfiguration {
        let context = container.json["securityContext"]
        let user = try UserLookup(layers: image.layers).resolve(
            image: image.configuration.user, podContext: pod.spec["securityContext"], context: context,
            describing: "pod: \"\(pod.name)_\(pod.namespace)(\(pod.uid))\", container: \(container.name)")
        var environment = environment
        if environment["PATH"] == nil {
            environment.set("PATH", String(ImageConfiguration.defaultPath.dropFirst("PATH=".count)))
        }
        if environment["HOME"] == nil { environment.set("HOME", user.home) }

        let work = container.workingDir ?? image.configuration.workingDirectory
        var result = ContainerConfiguration(
            id: id,
            root: RootFilesystem(layers: image.layers, readOnly: context["readOnlyRootFilesystem"].bool ?? false),
            arguments: try arguments(), environment: environment.assignments,
            workingDirectory: work.isEmpty ? "/" : work, logPath: paths.log(id))
        result.user = user.user
        result.group = user.group
        result.supplementaryGroups = user.supplementary
        result.mounts = try mounts()
        result.limits = container.runtimeLimits
        result.layerLimit = container.limits["ephemeral-storage"]?.value
        result.terminal = container.json["tty"].bool ?? false
        result.stdin = container.json["stdin"].bool ?? false
        result.stdinOnce = container.json["stdinOnce"].bool ?? false
        result.privileged = context["privileged"].bool ?? false
        result.addedCapabilities = context["capabilities"]["add"].strings
        result.droppedCapabilities = context["capabilities"]["drop"].strings
        result.noNewPrivileges = context["allowPrivilegeEscalation"].bool == false
        result.seccomp = try SeccompLookup(directory: seccompDirectory).resolve(
            pod: pod.spec["securityContext"], container: context)
        result.target = target
        return result
    }

    /// `command` takes the place of the image's entry point and its command; `args` that of its command alone.
    private func arguments() throws -> [String] {
        let configuration = image.configuration
        let command = container.command.map { expand($0) { declared[$0] } }
        let args = container.args.map { expand($0) { declared[$0] } }
        let result: [String] =
            if !command.isEmpty {
                command + args
            } else {
                (configuration.entrypoint ?? []) + (args.isEmpty ? configuration.command ?? [] : args)
            }
        guard !result.isEmpty else {
            throw StartFailure.configuration(
                reason: "CreateContainerError",
                message:
                    "no command specified: the image has neither ENTRYPOINT nor CMD, so set the container's command")
        }
        return result
    }

    private func mounts() throws -> [Mount] {
        var mounts: [Mount] = []
        for mount in container.json["volumeMounts"].items {
            guard let volume = volumes[mount["name"].string ?? ""] else {
                throw failure("volume \"\(mount["name"].string ?? "")\" of the mount is not in the pod's volumes")
            }
            var source = Mount.Source.path(volume.path)
            let inner = mount["subPath"].string ?? mount["subPathExpr"].string.map { expand($0) { declared[$0] } } ?? ""
            if !inner.isEmpty {
                try prepareSubPath(inner, of: volume)
                source = .subPath(inner, of: volume.path)
            } else if volume.isMadeOnMount {
                var status = stat()
                if stat(volume.path, &status) != 0 { try makeDirectory(volume.path, exactly: 0o755) }
            }
            var target = mount["mountPath"].string ?? ""
            if !target.hasPrefix("/") { target = "/" + target }
            mounts.append(
                Mount(
                    source: source, target: target,
                    readOnly: volume.isGenerated || (mount["readOnly"].bool ?? false)))
        }
        func addFile(_ source: String, _ target: String) {
            if !mounts.contains(where: { $0.target == target }) {
                mounts.append(Mount(source: .path(source), target: target, readOnly: false))
            }
        }
        addFile(paths.hosts, "/etc/hosts")
        addFile(paths.hostname, "/etc/hostname")
        addFile(paths.resolver, "/etc/resolv.conf")

        try makeDirectory(paths.container(container.name))
        try makeDirectory("\(paths.logs)/\(container.name)")
        let message = paths.termination(id)
        do throws(SystemError) {
            // Any user of the container may write it, whatever the agent's umask.
            try Descriptor.open(message, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o666)
                .withRawValue { _ = fchmod($0, 0o666) }
        } catch {
            throw failure("\(SystemError("create", errno: error.errno, message))")
        }
        addFile(message, container.json["terminationMessagePath"].string ?? "/dev/termination-log")
        return mounts
    }

    /// Makes the part of a volume that `subPath` names, where it is missing; it may not lead out of the volume, now or
    /// when it is mounted.
    private func prepareSubPath(_ inner: String, of volume: MountableVolume) throws {
        guard !inner.hasPrefix("/"), !inner.split(separator: "/").contains("..") else {
            throw failure("failed to prepare subPath for volumeMount: subPath \"\(inner)\" must stay in the volume")
        }
        do throws(SystemError) {
            let directory = try Descriptor.open(volume.path, O_PATH)
            do throws(SystemError) {
                _ = try Descriptor.open(inner, in: directory, O_PATH, confined: [.beneath, .noMagicLinks])
            } catch  where error.errno == ENOENT && !volume.isGenerated {
                // As the kubelet: with the mode of the volume's own directory.
                try directory.makeDirectories(beneath: inner, mode: try directory.status().st_mode & 0o7777)
            }
        } catch {
            let reason =
                switch error.errno {
                case EXDEV, ELOOP: "\"\(inner)\" leads out of the volume"
                case ENOENT: "\(inner) is not in the volume"
                default: "\(error)"
                }
            throw failure("failed to prepare subPath for volumeMount: \(reason)")
        }
    }

    private func failure(_ message: String) -> StartFailure {
        .configuration(reason: "CreateContainerConfigError", message: message)
    }
}

extension Container {
    var runtimeLimits: ResourceLimits { ResourceLimits(requests: requests, limits: limits) }
}

extension ResourceLimits {
    init(requests: ResourceList, limits: ResourceList) {
        self.init(
            cpuMillis: limits["cpu"]?.milliValue, cpuRequestMillis: (requests["cpu"] ?? limits["cpu"])?.milliValue,
            memory: limits["memory"]?.value)
    }
}
