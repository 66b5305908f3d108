import Addresses
import CInitProtocol
import CLinux
import Glibc
import KubernetesModel
import Linux

extension SandboxRuntime {
    package nonisolated func startContainer(_ container: ContainerConfiguration) async throws -> ContainerState {
        let pod = try await pod(container.id.podUID)
        guard pod.record.isCurrent else {
            throw RuntimeError.notFound("pod \(pod.record.name) was started by an earlier version")
        }
        let operations = operations(container, pod)
        let group = pod.group.container(container.id)
        let resources = resources
        let sharesProcesses = pod.record.sharesProcesses || container.target != nil
        let log = container.logPath
        var limits = container.limits
        if !container.privileged { limits.devices = DeviceRule.standard }
        let allowed = limits
        let (list, others) = try await Blocking.run { () throws -> (StartOperations, [SharedDescriptor]) in
            try makeDirectory(operations.directory)
            try makeDirectory(pod.paths.environments)
            try replaceFile(pod.paths.environment(container.id), JSON(container.environment).encoded())
            try replaceFile(pod.paths.execRecord(container.id), container.execRecord.encoded())
            let groups = try resources.create(group, limits: allowed)
            var others = [SharedDescriptor(try Descriptor.open(parent(of: log), O_PATH | O_DIRECTORY))]
            // With a PID namespace of its own a container's processes end with its first one, by the kernel's hand.
            if sharesProcesses, let processes = resources.processesFile(group) {
                others.append(SharedDescriptor(try Descriptor.open(processes, O_RDONLY)))
            }
            return (try operations.start(joining: Self.open(groups)), others)
        }
        var flags: InitFlags = []
        if container.terminal { flags.insert(.terminal) }
        if container.stdin { flags.insert(.stdin) }
        if container.stdinOnce { flags.insert(.stdinOnce) }
        if !sharesProcesses { flags.insert(.ownProcesses) }
        let place = UInt32(list.descriptors.count + 1)
        var body: [UInt8] = []
        body.append(number: place)
        body.append(number: others.count > 1 ? place + 1 : 0)
        body.append(terminated: container.id.key)
        body.append(terminated: String(log.dropFirst(parent(of: log).count + 1)))
        body.append(terminated: pod.record.sharesProcesses ? "" : container.target?.key ?? "")
        let answer: InitMessage
        do {
            answer = try await pod.request(
                .start, flags: flags, body: body, descriptors: list.handOver(with: others))
            // Not an operation's fault, which has a text.
            if answer.status == ESRCH, answer.body.count <= 5, let target = container.target {
                throw RuntimeError.targetDoesNotRun(target.name)
            }
            try check(answer)
        } catch {
            await discard(container.id, pod)
            throw error
        }
        var reader = BodyReader(answer.body)
        let started = Timestamp(
            seconds: Int(reader.number(UInt64.self)), nanoseconds: Int(reader.number(UInt64.self)))
        return pod.started(
            ContainerState(id: container.id, pid: answer.process, startedAt: started, phase: .running))
    }

    package nonisolated func signalContainer(_ container: ContainerID, signal: Int32) async throws {
        let pod = try await pod(container.podUID)
        var body: [UInt8] = []
        body.append(number: UInt32(signal))
        body.append(terminated: container.key)
        let answer = try await pod.request(.signal, body: body)
        guard answer.status != ESRCH else { throw RuntimeError.notFound("container \(container.name) does not run") }
        if answer.status != 0 { throw SystemError("kill", errno: answer.status, container.name) }
    }

    package nonisolated func removeContainer(_ container: ContainerID) async throws {
        guard let pod = try? await pod(container.podUID) else { return }
        var body: [UInt8] = []
        body.append(terminated: container.key)
        if pod.isRunning, let answer = try? await pod.request(.forget, body: body), answer.status == EBUSY {
            throw RuntimeError.failed("container \(container.name) still runs")
        }
        await discard(container, pod)
    }

    package nonisolated func execute(_ exec: ExecConfiguration) async throws -> any ExecSession {
        let pod = try await pod(exec.container.podUID)
        let id = exec.container
        guard let bytes = try? readBytes(pod.paths.execRecord(id)), let json = try? JSON(decoding: bytes) else {
            throw RuntimeError.notFound("container \(id.name) does not run")
        }
        guard pod.record.isCurrent else {
            throw RuntimeError.failed(
                "the pod was started by an earlier version of martlet: restart it to execute in it")
        }
        let environment = try JSON(decoding: try readBytes(pod.paths.environment(id))).strings
        let operations = operations(ContainerConfiguration(id: id, execRecord: json, environment: environment), pod)
        let groups = try resources.create(pod.group.container(id), limits: ResourceLimits())
        let list = try operations.execute(
            exec.arguments, terminal: exec.terminal, size: exec.terminalSize, joining: Self.open(groups))
        let pipes = exec.terminal ? nil : try ExecPipes(stdin: exec.stdin, stdout: exec.stdout, stderr: exec.stderr)
        defer { pipes?.closeTheirs() }
        let theirs = pipes?.theirs ?? [nil, nil, nil]
        var body: [UInt8] = []
        var place = UInt32(list.descriptors.count)
        for end in theirs {
            if end != nil { place += 1 }
            body.append(number: end == nil ? 0 : place)
        }
        body.append(terminated: id.key)
        let answer = try await pod.request(
            .exec, flags: exec.terminal ? [.terminal] : [], body: body,
            descriptors: list.handOver(with: theirs.compactMap(\.self)))
        try checkExec(answer, pod, id)
        guard let pipes else {
            guard let master = answer.descriptors.first else { throw RuntimeError.failed("no terminal was made") }
            return SandboxExec(
                pod: pod, tag: answer.tag, process: ProcessIdentity(pid: answer.process),
                stdin: exec.stdin ? try SharedDescriptor(master.duplicate()) : nil, stdout: master, stderr: nil)
        }
        return SandboxExec(
            pod: pod, tag: answer.tag, process: ProcessIdentity(pid: answer.process), stdin: pipes.stdin,
            stdout: pipes.stdout, stderr: pipes.stderr)
    }

    package nonisolated func attach(_ container: ContainerID) async throws -> any ExecSession {
        let pod = try await pod(container.podUID)
        var body: [UInt8] = []
        body.append(terminated: container.key)
        let pipes = try ExecPipes(stdin: false, stdout: true, stderr: true)
        defer { pipes.closeTheirs() }
        let answer = try await pod.request(.attach, body: body, descriptors: pipes.theirs.compactMap(\.self))
        guard answer.status != ESRCH else {
            throw RuntimeError.notFound("container \(container.name) does not run")
        }
        try check(answer)
        return SandboxAttachment(
            pod: pod, container: container, stdin: answer.descriptors.first, stdout: pipes.stdout,
            stderr: pipes.stderr)
    }

    package nonisolated func connect(podUID: String, port: Int) async throws -> SharedDescriptor {
        let pod = try await pod(podUID)
        guard let port = UInt16(exactly: port) else { throw RuntimeError.failed("\(port) is no port") }
        do {
            return try await connect(pod, port, AF_INET)
        } catch let error as SystemError where error.errno == ECONNREFUSED {
            // A program may listen at ::1 alone. Where that is no better, the first reason is the one to report.
            guard let descriptor = try? await connect(pod, port, AF_INET6) else { throw error }
            return descriptor
        }
    }

    private nonisolated func connect(
        _ pod: PodSandbox, _ port: UInt16, _ family: Int32
    ) async throws -> SharedDescriptor {
        var body: [UInt8] = []
        body.append(number: UInt32(family))
        body.append(number: UInt32(SOCK_STREAM.rawValue))
        let answer = try await pod.request(.socket, body: body)
        guard answer.status == 0, let descriptor = answer.descriptors.first else {
            throw SystemError("socket", errno: answer.status, "in pod \(pod.record.name)")
        }
        do throws(SystemError) {
            try await descriptor.connect(toLoopback: port, family: family)
        } catch {
            throw SystemError(
                error.call, errno: error.errno, "to port \(port) of pod \(pod.record.namespace)/\(pod.record.name)")
        }
        return descriptor
    }

    private nonisolated func operations(_ container: ContainerConfiguration, _ pod: PodSandbox) -> ContainerOperations {
        ContainerOperations(
            configuration: container, directory: pod.paths.container(container.id), hostname: pod.record.hostname,
            hidden: configuration.hidden, sharedMemory: pod.sharedMemory, machine: machine,
            controlGroups: resources.directories(pod.group.container(container.id)),
            guardsDevices: resources.guardsDevices)
    }

    private nonisolated func discard(_ container: ContainerID, _ pod: PodSandbox) async {
        pod.forget(container)
        await resources.remove(pod.group.container(container))
        let (directory, environment) = (pod.paths.container(container), pod.paths.environment(container))
        await Blocking.run {
            unlink(environment)
            ContainerRoot.remove(directory)
            try? removeTree(directory)
        }
    }

    /// The files to join groups by.
    private nonisolated static func open(_ groups: [String]) throws(SystemError) -> [SharedDescriptor] {
        try groups.map { path throws(SystemError) in SharedDescriptor(try Descriptor.open(path, O_WRONLY)) }
    }

    private nonisolated func checkExec(_ answer: InitMessage, _ pod: PodSandbox, _ id: ContainerID) throws {
        if answer.status == 0 { return }
        pod.forgetExec(answer.tag)
        if answer.status == ESRCH, answer.body.count <= 5 {
            throw RuntimeError.notFound("container \(id.name) does not run")
        }
        try check(answer)
    }

    private nonisolated func check(_ answer: InitMessage) throws(RuntimeError) {
        guard answer.status != 0 else { return }
        var body = BodyReader(answer.body)
        let operation = body.number(UInt32.self)
        throw .start(
            StartOperations.describe(operation: operation, error: answer.status, subject: body.string()))
    }
}
