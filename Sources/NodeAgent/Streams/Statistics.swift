import KubernetesModel
import PodRuntime

/// The node's and its pods' use of resources, in the form of the kubelet's `/stats/summary`.
struct Statistics: Sendable {
    let node: NodeContext
    let workers: PodWorkers

    func summary() async -> JSON {
        let now = Timestamp.now
        var pods: [JSON] = []
        var total = ResourceUsage(cpuNanoseconds: 0, workingSet: 0, processes: 0)
        for worker in await workers.all {
            guard let usage = try? await node.runtime.usage(podUID: worker.uid), !usage.isEmpty else { continue }
            let pod = await worker.pod
            var sum = ResourceUsage(cpuNanoseconds: 0, workingSet: 0, processes: 0)
            var containers: [JSON] = []
            for (id, amount) in usage.sorted(by: { $0.key.name < $1.key.name }) {
                sum.add(amount)
                var json = amount.json(at: now)
                json["name"] = .string(id.name)
                containers.append(json)
            }
            total.add(sum)
            var json = sum.json(at: now)
            json["podRef"] = [
                "name": .string(pod.name), "namespace": .string(pod.namespace), "uid": .string(pod.uid),
            ]
            json["startTime"] = pod.status["startTime"]
            json["containers"] = .array(containers)
            json["process_stats"] = ["process_count": JSON(Int(clamping: sum.processes))]
            pods.append(json)
        }
        var own = total.json(at: now)
        own["nodeName"] = .string(node.configuration.nodeName)
        if let capacity = node.configuration.shape.capacity["memory"].flatMap({ Quantity($0) })?.value {
            own["memory"]["availableBytes"] = JSON(max(0, capacity - Int(clamping: total.workingSet)))
        }
        return ["node": own, "pods": .array(pods)]
    }
}

extension ResourceUsage {
    fileprivate mutating func add(_ other: ResourceUsage) {
        cpuNanoseconds += other.cpuNanoseconds
        workingSet += other.workingSet
        processes += other.processes
    }

    fileprivate func json(at moment: Timestamp) -> JSON {
        let time = JSON.string(moment.nano)
        return [
            "cpu": ["time": time, "usageCoreNanoSeconds": JSON(Int(clamping: cpuNanoseconds))],
            "memory": ["time": time, "workingSetBytes": JSON(Int(clamping: workingSet))],
        ]
    }
}
