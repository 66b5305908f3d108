import Addresses
import CInitProtocol
import CLinux
import Glibc
import KubernetesModel
import Linux

extension SandboxRuntime {
    package nonisolated func startContainer(_ container: ContainerConfiguration) async throws -> ContainerState {
        let pod = try await pod(container.id.podUID)
        let operations = operations(container, pod)
        let group = pod.group.container(container.id)
        let resources = resources
        let list = try await Blocking.run { () throws -> SharedDescriptor in
            // A writable layer's mode is that of the container's root.
            for directory in operations.directories { try makeDirectory(directory, exactly: 0o755) }
            try replaceFile(pod.paths.execRecord(container.id), container.execRecord.encoded())
            return try operations.start(joining: resources.create(group, limits: container.limits)).file()
        }
        var flags: InitFlags = []
        if container.terminal { flags.insert(.terminal) }
        if container.stdin { flags.insert(.stdin) }
        if container.stdinOnce { flags.insert(.stdinOnce) }
        let sharesProcesses = pod.record.sharesProcesses || container.target != nil
        if !sharesProcesses { flags.insert(.ownProcesses) }
        var body: [UInt8] = []
        body.append(terminated: container.id.key)
        body.append(terminated: container.logPath)
        // With a PID namespace of its own a container's processes end with its first one, by the kernel's hand.
        body.append(terminated: sharesProcesses ? resources.joinFile(group) : "")
        body.append(terminated: pod.record.sharesProcesses ? "" : container.target?.key ?? "")
        let answer: InitMessage
        do {
            answer = try await pod.request(.start, flags: flags, body: body, descriptors: [list])
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
        let operations = operations(ContainerConfiguration(id: id, execRecord: json), pod)
        let groups = try resources.create(pod.group.container(id), limits: ResourceLimits())
        let list = try operations.execute(
            exec.arguments, terminal: exec.terminal, size: exec.terminalSize, joining: groups
        ).file()
        var body: [UInt8] = []
        body.append(terminated: id.key)
        if exec.terminal {
            let answer = try await pod.request(.exec, flags: [.terminal], body: body, descriptors: [list])
            try checkExec(answer, pod, id)
            guard let master = answer.descriptors.first else { throw RuntimeError.failed("no terminal was made") }
            return SandboxExec(
                pod: pod, tag: answer.tag, process: ProcessIdentity(pid: answer.process),
                stdin: exec.stdin ? try SharedDescriptor(master.duplicate()) : nil, stdout: master, stderr: nil)
        }
        let pipes = try ExecPipes(stdin: exec.stdin, stdout: exec.stdout, stderr: exec.stderr)
        defer { pipes.closeTheirs() }
        let answer = try await pod.request(.exec, body: body, descriptors: [list] + pipes.theirs)
        try checkExec(answer, pod, id)
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
        let answer = try await pod.request(.attach, body: body, descriptors: Array(pipes.theirs.dropFirst()))
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
        var body: [UInt8] = []
        body.append(number: UInt32(AF_INET))
        body.append(number: UInt32(SOCK_STREAM.rawValue))
        let answer = try await pod.request(.socket, body: body)
        guard answer.status == 0, let descriptor = answer.descriptors.first else {
            throw SystemError("socket", errno: answer.status, "in pod \(pod.record.name)")
        }
        do throws(SystemError) {
            try await descriptor.connect(toLoopback: port)
        } catch {
            throw SystemError(
                error.call, errno: error.errno, "to port \(port) of pod \(pod.record.namespace)/\(pod.record.name)")
        }
        return descriptor
    }

    private nonisolated func operations(_ container: ContainerConfiguration, _ pod: PodSandbox) -> ContainerOperations {
        ContainerOperations(
            configuration: container, directory: pod.paths.container(container.id), hostname: pod.record.hostname,
            hiddenDirectories: configuration.hiddenDirectories, sharedMemory: pod.sharedMemory, machine: machine,
            controlGroups: resources.directories(pod.group.container(container.id)))
    }

    private nonisolated func discard(_ container: ContainerID, _ pod: PodSandbox) async {
        pod.forget(container)
        await resources.remove(pod.group.container(container))
        let directory = pod.paths.container(container)
        await Blocking.run { try? removeTree(directory) }
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
