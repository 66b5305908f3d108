import Linux

/// The limits of a container or pod.
package struct ResourceLimits: Sendable, Hashable {
    /// Thousandths of a core; nil for no limit.
    package var cpuMillis: Int?
    /// Thousandths of a core requested, for `cpu.shares`.
    package var cpuRequestMillis: Int?
    /// Bytes; nil for no limit.
    package var memory: Int?
    /// Processes and threads; nil for no limit.
    package var processes: Int?
    /// The devices that it may use; nil for all.
    package var devices: [DeviceRule]?

    package init(
        cpuMillis: Int? = nil, cpuRequestMillis: Int? = nil, memory: Int? = nil, processes: Int? = nil,
        devices: [DeviceRule]? = nil
    ) {
        self.cpuMillis = cpuMillis
        self.cpuRequestMillis = cpuRequestMillis
        self.memory = memory
        self.processes = processes
        self.devices = devices
    }
}

/// The use of resources by a container or pod.
package struct ResourceUsage: Sendable, Hashable {
    /// CPU time used since the start, in nanoseconds.
    package var cpuNanoseconds: UInt64
    /// Memory in use that cannot be reclaimed at once, in bytes.
    package var workingSet: UInt64
    package var processes: UInt64

    package init(cpuNanoseconds: UInt64, workingSet: UInt64, processes: UInt64) {
        self.cpuNanoseconds = cpuNanoseconds
        self.workingSet = workingSet
        self.processes = processes
    }
}
