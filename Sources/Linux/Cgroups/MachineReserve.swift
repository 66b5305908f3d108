/// What of the machine is left to those that manage workloads, whatever these do.
enum MachineReserve {
    /// How many processes and threads workloads may have in all: the machine's, less a tenth, and at least 512.
    static func processes(of total: Int) -> Int { max(total - max(total / 10, 512), total / 2) }

    /// How much memory they may use in all: the machine's, less a twentieth, and at least 256 MiB.
    static func memory(of total: Int) -> Int { max(total - max(total / 20, 256 << 20), total / 2) }

    /// All processes and threads that the machine can have.
    static var machineProcesses: Int? {
        let limits = ["pid_max", "threads-max"].compactMap { name in
            (try? readFile("/proc/sys/kernel/\(name)")).flatMap { Int($0.prefix { $0.isNumber }) }
        }
        return limits.min()
    }

    /// All memory of the machine, in bytes.
    static var machineMemory: Int? {
        for line in (try? readFile("/proc/meminfo"))?.split(separator: "\n") ?? [] where line.hasPrefix("MemTotal:") {
            return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
        }
        return nil
    }
}
