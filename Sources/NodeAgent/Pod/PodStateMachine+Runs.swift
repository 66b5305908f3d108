import KubernetesModel
import PodRuntime

/// Which run of a container a stream goes to.
extension PodStateMachine {
    /// The run that `exec` and `attach` go to.
    func runningContainer(_ name: String) throws(Status) -> ContainerID {
        guard let record = containers.first(where: { $0.name == name }), record.isRunning else {
            throw Status(code: 404, reason: "NotFound", message: "container not found (\"\(name)\")")
        }
        return record.id(podUID: uid)
    }

    /// The run whose log is asked for, and whether it still runs.
    func loggedRun(_ name: String, previous: Bool) throws(Status) -> (id: ContainerID, isRunning: Bool) {
        let pod = self.pod.name
        guard let record = containers.first(where: { $0.name == name }) else {
            throw .badRequest("container \(name) is not valid for pod \(pod)")
        }
        func id(_ run: Int) -> ContainerID { ContainerID(podUID: uid, name: name, restart: run) }
        func run(of end: Termination?) -> ContainerID? {
            guard let end, let run = record.run else { return nil }
            return [run, run - 1].map(id).first { $0.apiID == end.containerID }
        }
        if previous {
            guard let found = run(of: record.last) else {
                throw .badRequest("previous terminated container \"\(name)\" in pod \"\(pod)\" not found")
            }
            return (found, false)
        }
        switch record.state {
        case .running: return (record.id(podUID: uid), true)
        case .terminated(let end), .starting(.terminated(let end)):
            return (run(of: end) ?? record.id(podUID: uid), false)
        case .waiting(let reason, let message, _), .starting(.waiting(let reason, let message)):
            if let found = run(of: record.last) { return (found, false) }
            let isImage = reason.contains("Image")
            let fault = isImage ? "trying and failing to pull image" : reason
            if let message, !isImage {
                throw .badRequest("container \"\(name)\" in pod \"\(pod)\" is waiting to start: \(message)")
            }
            throw .badRequest("container \"\(name)\" in pod \"\(pod)\" is waiting to start: \(fault)")
        }
    }

    /// Whether a run of a container has ended, or never began.
    func isOver(_ id: ContainerID) -> Bool {
        stage == .finished
            || !containers.contains { $0.name == id.name && $0.run == id.restart && ($0.isRunning || $0.isStarting) }
    }
}
