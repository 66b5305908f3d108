import KubernetesModel
import PodRuntime

extension PodWorker {
    /// Makes one container's probe of one kind until the container ends; tells the worker what the results come to.
    nonisolated func probe(_ id: ContainerID, _ kind: ProbeKind) async {
        guard let container = await machine.containers.first(where: { $0.name == id.name }),
            case .running(let since) = container.state
        else { return }
        let spec = container.spec
        let probe = spec[kind.field]
        let hook = Hook(node: node, container: Container(spec), address: await hookAddress)
        var schedule = ProbeSchedule(kind: kind, timing: ProbeTiming(probe), isExec: !probe["exec"].isNull)
        var delay: Double? = schedule.firstDelay(afterRunning: max(0, Timestamp.now.since(since)))
        let began = ContinuousClock.now
        while let seconds = delay {
            guard (try? await Task.sleep(for: .seconds(seconds))) != nil else { return }
            let failure = await hook.attempt(probe, id, timeout: schedule.timing.timeout)
            if Task.isCancelled { return }
            let step = schedule.record(
                success: failure == nil, elapsed: (ContinuousClock.now - began) / .seconds(1))
            if let failure, step.isTold {
                await record(
                    .warning("Unhealthy", "\(kind.rawValue) probe failed: \(failure)", container: id.name))
            }
            if let verdict = step.verdict { inbox.yield(.probe(id, kind, verdict)) }
            delay = step.delay
        }
    }
}
