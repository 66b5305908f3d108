import Addresses
import Glibc
import Linux

extension PodSandbox {
    /// Makes the namespaces, the link and the groups, and connects.
    static func start(
        _ sandbox: SandboxConfiguration, bridge: Int32?, paths: SandboxPaths,
        configuration: RuntimeConfiguration, program: InitProgram, resources: any ResourceController,
        onExit: AsyncStream<ContainerState>.Continuation
    ) async throws -> PodSandbox {
        let group = ResourceGroup.node(configuration.paths)
            .pod(sandbox.podUID, qosClass: sandbox.qosClass)
        let making = { @Sendable () throws -> SandboxRecord in
            try makeDirectory(paths.podDirectory, mode: 0o700)
            try makeDirectory(paths.socketDirectory, mode: 0o700)
            unlink(paths.exits)
            if !sandbox.sharesHostIPC { try paths.sharedMemory.make() }
            let join = try resources.createPod(group, limits: sandbox.limits)
            let process = try launch(sandbox, paths: paths, program: program, join: join)
            // Its containers inherit it. This process's own is of those that are needed to the last.
            try? writeControl("/proc/\(process.pid)/oom_score_adj", "\(sandbox.outOfMemoryScore)")
            do {
                // Before anything else can fail: what is on disk can be found and removed.
                let record = SandboxRecord(sandbox, process: process)
                try replaceFile(paths.record, record.json.encoded())
                if let bridge { try link(process.pid, bridge: bridge) }
                return record
            } catch {
                process.signal(SIGKILL)
                throw error
            }
        }
        let record: SandboxRecord
        do {
            record = try await Blocking.run(making)
        } catch {
            await resources.remove(group)
            await Blocking.run { paths.remove() }
            throw error
        }
        let pod = PodSandbox(
            record: record, paths: paths, configuration: configuration, resources: resources, onExit: onExit)
        do {
            try await pod.connect()
            if let text = sandbox.address {
                guard let address = IPv4Address(text) else { throw RuntimeError.failed("\(text) is no IPv4 address") }
                var body: [UInt8] = []
                body.append(number: address.value.bigEndian)
                body.append(number: configuration.gateway.value.bigEndian)
                let answer = try await pod.request(.network, body: body)
                guard answer.status == 0 else {
                    throw SystemError(
                        "set up eth0", errno: answer.status, "of pod \(sandbox.namespace)/\(sandbox.name)")
                }
                if let loadBalancers = configuration.loadBalancers {
                    try await Blocking.run { () throws(SystemError) in
                        try LoopbackDetour.make(
                            of: loadBalancers, as: AddressPlan.loadBalancersWithin, via: configuration.gateway,
                            from: address, in: try openNamespace(.net, of: record.process.pid), isFirst: true)
                    }
                }
            }
        } catch {
            await pod.end()
            await pod.cleanUp()
            throw error
        }
        return pod
    }

    /// Blocks until the init is set up, some milliseconds.
    private static func launch(
        _ sandbox: SandboxConfiguration, paths: SandboxPaths, program: InitProgram, join: [String]
    ) throws -> ProcessIdentity {
        let listener = try PacketSocket.listen(paths.socket)
        let exits = SharedDescriptor(
            try Descriptor.open(paths.exits, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600))
        let (reader, writer) = try makePipe()
        var descriptors = [(listener.descriptor, Int32(3)), (exits, 4), (try program.sealed(), 5)]
        // The directory tells whose init it is, also where its record is damaged (`ClusterRemains`).
        var arguments = [
            program.path, "pod", "--pod", "\(sandbox.namespace)/\(sandbox.name)", "--socket-fd", "3", "--exits-fd", "4",
            "--hostname", sandbox.hostname,
            "--directory", paths.podDirectory,
        ]
        if sandbox.address == nil { arguments.append("--host-network") }
        if sandbox.sharesHostIPC { arguments.append("--host-ipc") }
        if sandbox.sharesProcesses { arguments.append("--share-processes") }
        for file in join {
            let number = descriptors[descriptors.count - 1].1 + 1
            descriptors.append((SharedDescriptor(try Descriptor.open(file, O_WRONLY)), number))
            arguments += ["--join-fd", "\(number)"]
        }
        if let root = program.emptyRoot {
            let number = descriptors[descriptors.count - 1].1 + 1
            descriptors.append((root, number))
            arguments += ["--mounts-fd", "\(number)"]
        }
        for (sysctl, value) in sandbox.sysctls { arguments += ["--sysctl", "\(sysctl.path)=\(value)"] }
        let child: Result<pid_t, SystemError> = Result { () throws(SystemError) in
            try Spawn(
                arguments, program: "/proc/self/fd/5", environment: [],
                descriptors: descriptors + [(writer, 1), (writer, 2)]
            ).start()
        }
        writer.close()
        let helper = try child.get()
        let output = try reader.readToEnd()
        var status: Int32 = 0
        while waitpid(helper, &status, 0) < 0, errno == EINTR {}
        let text = String(decoding: output, as: UTF8.self)
        guard let pid = Int32(text.prefix { $0 != "\n" }), let process = ProcessIdentity(pid: pid) else {
            throw RuntimeError.failed("martlet-init could not start the pod: \(text.isEmpty ? "no answer" : text)")
        }
        program.keepRoot(of: pid)
        return process
    }

    private static func link(_ pid: Int32, bridge: Int32) throws {
        let name = "veth\(pid)"
        // What pods say to each other passes the node's rules: no frame goes from one to another.
        let requests = [
            try RouteRequest.addVeth(
                name, peer: "eth0", in: .process(pid), master: bridge, mtu: RouteRequest.virtualMTU),
            .isolate(name),
        ]
        let error = try perform(requests)
        if error?.errno == EEXIST {
            // Of a dead pod whose process had the same number; the kernel has not got to it yet.
            if let error = try perform([.deleteLink(name)] + requests) { throw error }
        } else if let error {
            throw error
        }
    }

    private static func perform(_ requests: [RouteRequest]) throws(SystemError) -> SystemError? {
        var route = try RouteSocket()
        do {
            try route.perform(requests, ignoring: [ENODEV])
            return nil
        } catch {
            return error
        }
    }
}
