import KubernetesModel

/// How to make a pod's sandbox.
package struct SandboxConfiguration: Sendable {
    package var podUID: String
    package var namespace: String
    package var name: String
    package var hostname: String
    /// The pod's address; nil with the node's own network (`hostNetwork`).
    package var address: String?
    /// The containers see each other's processes (`shareProcessNamespace`).
    package var sharesProcesses: Bool
    /// The containers use the machine's own System V IPC, message queues and shared memory (`hostIPC`).
    package var sharesHostIPC: Bool
    package var sysctls: [Sysctl: String]
    /// The pod's QoS class, which names its parent cgroup: Guaranteed, Burstable, BestEffort.
    package var qosClass: String
    /// Limits of the pod as a whole.
    package var limits: ResourceLimits
    /// What its processes have as `/proc/PID/oom_score_adj`.
    package var outOfMemoryScore: Int

    package init(
        podUID: String, namespace: String, name: String, hostname: String, address: String?,
        sharesProcesses: Bool = false, sharesHostIPC: Bool = false, sysctls: [Sysctl: String] = [:],
        qosClass: String = "BestEffort",
        limits: ResourceLimits = ResourceLimits(), outOfMemoryScore: Int = 1000
    ) {
        self.podUID = podUID
        self.namespace = namespace
        self.name = name
        self.hostname = hostname
        self.address = address
        self.sharesProcesses = sharesProcesses
        self.sharesHostIPC = sharesHostIPC
        self.sysctls = sysctls
        self.qosClass = qosClass
        self.limits = limits
        self.outOfMemoryScore = outOfMemoryScore
    }
}

/// A pod's sandbox as it is.
package struct Sandbox: Sendable {
    package var podUID: String
    package var namespace: String
    package var name: String
    package var address: String?
    /// The pod's `martlet-init`; 0 where it is dead.
    package var pid: Int32
    package var containers: [ContainerState]
    /// The ends of all runs since the sandbox's start, also of those that are forgotten; only from `sandboxes()`.
    package var past: [ContainerState]

    package init(
        podUID: String, namespace: String, name: String, address: String?, pid: Int32, containers: [ContainerState],
        past: [ContainerState] = []
    ) {
        self.podUID = podUID
        self.namespace = namespace
        self.name = name
        self.address = address
        self.pid = pid
        self.containers = containers
        self.past = past
    }
}
