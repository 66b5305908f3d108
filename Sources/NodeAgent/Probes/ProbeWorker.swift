import KubernetesModel
import PodRuntime

/// One container's probe of one kind; the kubelet's prober has a worker of the same name.
struct ProbeWorker: Sendable {
    let id: ContainerID
    let kind: ProbeKind
    /// The container's `startupProbe`, `readinessProbe` or `livenessProbe`.
    let probe: JSON
    let runningSince: Timestamp
    let hook: Hook
    /// Receives a result that is worth an event.
    let onReport: @Sendable (ProbeResult) async -> Void
    /// Receives each change of the result.
    let onVerdict: @Sendable (ProbeVerdict) -> Void

    /// Runs until it is cancelled, or until no further probe is due.
    func run() async {
        var schedule = ProbeSchedule(kind: kind, timing: ProbeTiming(probe), isExec: !probe["exec"].isNull)
        var delay: Double? = schedule.firstDelay(afterRunning: max(0, Timestamp.now.since(runningSince)))
        let began = ContinuousClock.now
        while let seconds = delay {
            guard (try? await Task.sleep(for: .seconds(seconds))) != nil else { return }
            let result = await hook.attempt(probe, id, timeout: schedule.timing.timeout)
            if Task.isCancelled { return }
            let step = schedule.record(
                success: result.failure == nil, elapsed: (ContinuousClock.now - began) / .seconds(1))
            switch result {
            case .success: break
            case .warning: await onReport(result)
            case .failure: if step.isReported { await onReport(result) }
            }
            if let verdict = step.verdict { onVerdict(verdict) }
            delay = step.delay
        }
    }
}

/// The running probes of a pod's containers.
struct ProbeWorkers {
    private var tasks: [ContainerID: [ProbeKind: Task<Void, Never>]] = [:]

    mutating func start(_ worker: ProbeWorker) {
        tasks[worker.id, default: [:]][worker.kind] = Task { await worker.run() }
    }

    mutating func stop(_ id: ContainerID, _ kinds: [ProbeKind]) {
        for kind in kinds { tasks[id]?.removeValue(forKey: kind)?.cancel() }
        if tasks[id]?.isEmpty == true { tasks[id] = nil }
    }

    func cancel() { for task in tasks.values.flatMap(\.values) { task.cancel() } }
}
