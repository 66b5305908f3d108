import Linux
import PodRuntime

extension PodWorker {
    /// Looks from time to time whether the pod has more on the disk than it may, until it has.
    func watchStorage() async {
        guard !StorageLimits(pod: pod, paths: paths, runs: []).isEmpty else { return }
        while true {
            // As often as the kubelet's eviction looks.
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
