import Linux
import PodRuntime

extension PodWorker {
    /// Measures the pod's use of the disk every ten seconds until it exceeds a limit.
    func watchStorage() async {
        guard !StorageLimits(pod: pod, paths: paths, runs: []).isEmpty else { return }
        while true {
            // As the kubelet's eviction manager.
            guard (try? await Task.sleep(for: .seconds(10))) != nil else { return }
            let runs = machine.containers.compactMap { $0.run == nil ? nil : $0.id(podUID: uid) }
            let limits = StorageLimits(pod: pod, paths: paths, runs: runs)
            if let message = await Blocking.run({ limits.excess() }) {
                inbox.yield(.evicted(message))
                return
            }
        }
    }
}
