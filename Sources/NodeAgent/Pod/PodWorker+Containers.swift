import Addresses
import Glibc
import ImageStore
import KubernetesModel
import Linux
import PodRuntime

/// Starting and stopping single containers.
extension PodWorker {
    func start(_ id: ContainerID) async {
        guard let spec = machine.containers.first(where: { $0.name == id.name })?.spec else { return }
        let container = Container(spec)
        do {
            let image = try await pull(container)
            let plan = try await plan(id, container, image)
            let configuration = try await Blocking.run { try plan.make() }
            record(.normal("Created", "Created container: \(id.name)", container: id.name))
            let state = try await node.runtime.startContainer(configuration)
            stopSignals[id] = image.configuration.stopSignal.flatMap(signalNumber)
            record(.normal("Started", "Started container \(id.name)", container: id.name))
            let hook = container.json["lifecycle"]["postStart"]
            inbox.yield(
                .started(
                    id, StartedContainer(startedAt: state.startedAt, imageID: image.digest, hookPending: !hook.isNull)))
            if case .exited = state.phase { await exited(state) }
            if !hook.isNull { await postStart(id, hook, container) }
        } catch is CancellationError {
            return
        } catch let failure as StartFailure {
            inbox.yield(.startFailed(id, failure))
        } catch RuntimeError.notFound {
            inbox.yield(.sandboxLost(id))
        } catch RuntimeError.start(let text) {
            inbox.yield(.startFailed(id, .program("unable to start container process: \(text)")))
        } catch {
            inbox.yield(.startFailed(id, .configuration(reason: "CreateContainerError", message: "\(error)")))
        }
    }

    private func pull(_ container: Container) async throws -> ResolvedImage {
        let name = container.image
        let policy = container.imagePullPolicy
        let began = ContinuousClock.now
        if policy == "Always" { record(.normal("Pulling", "Pulling image \"\(name)\"", container: container.name)) }
        do {
            let image = try await node.images.resolve(name)
            let message =
                if policy == "Always" {
                    "Successfully pulled image \"\(name)\" in \(milliseconds(since: began)) "
                        + "(\(milliseconds(since: began)) including waiting)"
                } else {
                    "Container image \"\(name)\" already present on machine"
                }
            record(.normal("Pulled", message, container: container.name))
            return image
        } catch {
            switch error {
            case .invalidReference:
                let message = "Failed to apply default image tag \"\(name)\": \(error)"
                record(.warning("InspectFailed", message, container: container.name))
                throw StartFailure.image(reason: "InvalidImageName", message: message)
            case .notFound where policy == "Never":
                let message = "Container image \"\(name)\" is not present with pull policy of Never"
                record(.warning("ErrImageNeverPull", message, container: container.name))
                throw StartFailure.image(reason: "ErrImageNeverPull", message: message)
            default:
                if policy != "Always" {
                    record(.normal("Pulling", "Pulling image \"\(name)\"", container: container.name))
                }
                record(
                    .warning("Failed", "Failed to pull image \"\(name)\": \(error)", container: container.name))
                throw StartFailure.image(reason: "ErrImagePull", message: "\(error)")
            }
        }
    }

    private func plan(_ id: ContainerID, _ container: Container, _ image: ResolvedImage) async throws -> ContainerPlan {
        await node.services.waitForSync()
        let services = serviceVariables(
            node.services.list(namespace: pod.namespace)
                + (pod.namespace == "default"
                    ? [] : [node.services.get(namespace: "default", "kubernetes")].compactMap(\.self)),
            namespace: pod.namespace, links: pod.spec["enableServiceLinks"].bool ?? true)
        let (all, declared) = try await Environment.make(
            container: container, image: image.configuration.environment, services: services, downward: downward(),
            lookup: lookup)
        return ContainerPlan(
            id: id, container: container, pod: pod, image: image, paths: paths,
            seccompDirectory: node.configuration.paths.seccomp, volumes: volumes().mountable,
            environment: all,
            target: try target(of: container), declared: declared)
    }

    /// The run whose processes an ephemeral container sees. Without it there is no start: a debugger that does not see
    /// its target helps nobody.
    private func target(of container: Container) throws(StartFailure) -> ContainerID? {
        guard let name = container.json["targetContainerName"].string, !name.isEmpty else { return nil }
        guard let record = machine.containers.first(where: { $0.name == name }), record.run != nil else {
            throw .configuration(
                reason: "CreateContainerConfigError", message: "unable to find target container \(name)")
        }
        guard record.isRunning else {
            throw .configuration(reason: "CreateContainerError", message: "\(RuntimeError.targetDoesNotRun(name))")
        }
        return record.id(podUID: uid)
    }

    private func postStart(_ id: ContainerID, _ hook: JSON, _ container: Container) async {
        let fault = await Hook(node: node, container: container, address: hookAddress).run(hook, id)
        if let fault { node.logger.notice("the postStart hook of \(paths.directory)/\(id.name) failed: \(fault)") }
        inbox.yield(.postStartEnded(id, failed: fault != nil))
    }

    var hookAddress: String {
        pod.spec["hostNetwork"].bool == true
            ? node.configuration.address : machine.address ?? AddressPlan.loopback.description
    }

    // MARK: - Stopping

    /// preStop hook, stop signal, and after the grace period, which holds for both together, SIGKILL.
    ///
    /// A shorter grace period cancels this and starts it again, with what the first one has done.
    func stop(_ id: ContainerID, grace: Double) async {
        let deadline = ContinuousClock.now + .seconds(grace)
        if signalled[id] == nil {
            if let hook = preStops[id] { await wait(for: hook, until: deadline) }
            if Task.isCancelled { return }
            let spec = machine.containers.first { $0.name == id.name }?.spec ?? .null
            let signal = await stopSignal(id, image: spec["image"].string ?? "")
            if Task.isCancelled { return }
            try? await node.runtime.signalContainer(id, signal: signal)
            signalled[id] = .now
        }
        // As the kubelet: however short the grace period is, a program has two seconds from its stop signal.
        let end = max(deadline, (signalled[id] ?? .now) + .seconds(2))
        if ContinuousClock.now < end { try? await Task.sleep(until: end, clock: .continuous) }
        if Task.isCancelled { return }
        try? await node.runtime.signalContainer(id, signal: SIGKILL)
    }

    /// Starts a container's preStop hook, where it has one.
    func startPreStop(_ id: ContainerID) {
        guard let spec = machine.containers.first(where: { $0.name == id.name })?.spec else { return }
        let hook = spec["lifecycle"]["preStop"]
        if hook.isNull { return }
        let runner = Hook(node: node, container: Container(spec), address: hookAddress)
        preStops[id] = Task {
            guard let fault = await runner.run(hook, id), !Task.isCancelled else { return }
            node.logger.notice("the preStop hook of \(paths.directory)/\(id.name) failed: \(fault)")
            // The hook's output stays out of the event, for it may be secret.
            record(.warning("FailedPreStopHook", "PreStopHook failed", container: id.name))
        }
    }

    /// Waits until a hook has ended, or cancels it at the deadline. Cancelling the wait does not end the hook.
    private func wait(for hook: Task<Void, Never>, until deadline: ContinuousClock.Instant) async {
        let limit = Task {
            guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
            hook.cancel()
        }
        await withTaskCancellationHandler {
            await hook.value
        } onCancel: {
            limit.cancel()
        }
        limit.cancel()
    }

    private func stopSignal(_ id: ContainerID, image: String) async -> Int32 {
        if let known = stopSignals[id] { return known }
        return (try? await node.images.resolve(image))?.configuration.stopSignal.flatMap(signalNumber) ?? SIGTERM
    }

    /// What a container left in its termination message file, or at the end of its log.
    nonisolated func terminationMessage(_ state: ContainerState) async -> String? {
        guard case .exited(let code, _, _, _) = state.phase else { return nil }
        let spec = await machine.containers.first { $0.name == state.id.name }?.spec ?? .null
        let usesLog = spec["terminationMessagePolicy"].string == "FallbackToLogsOnError" && code != 0
        let paths = paths
        return await Blocking.run {
            let bytes = readTail(paths.termination(state.id), limit: 4096) ?? []
            if !bytes.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            guard usesLog, let log = readTail(paths.log(state.id), limit: 16384) else { return nil }
            let lines = String(decoding: log, as: UTF8.self).split(separator: "\n").suffix(80).compactMap { line in
                line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).dropFirst(3).first
            }
            return String(lines.joined(separator: "\n").suffix(2048))
        }
    }
}

private func milliseconds(since moment: ContinuousClock.Instant) -> String {
    "\((ContinuousClock.now - moment) / .milliseconds(1))".prefix { $0 != "." } + "ms"
}

/// A signal's number from its name or number, as an image's STOPSIGNAL has it.
func signalNumber(_ text: String) -> Int32? {
    func known(_ number: Int32) -> Int32? { (1...64).contains(number) ? number : nil }
    if let number = Int32(text) { return known(number) }
    let name = text.uppercased().hasPrefix("SIG") ? String(text.uppercased().dropFirst(3)) : text.uppercased()
    let numbers: [String: Int32] = [
        "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "ABRT": SIGABRT, "KILL": SIGKILL, "USR1": SIGUSR1,
        "USR2": SIGUSR2, "PIPE": SIGPIPE, "ALRM": SIGALRM, "TERM": SIGTERM, "CONT": SIGCONT, "STOP": SIGSTOP,
        "WINCH": SIGWINCH, "PWR": SIGPWR,
    ]
    if name.hasPrefix("RTMIN+"), let offset = Int32(name.dropFirst(6)) { return known(34 &+ offset) }
    return numbers[name]
}
