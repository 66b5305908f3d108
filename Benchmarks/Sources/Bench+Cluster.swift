import APIClient
import Foundation
import KubernetesModel

extension Bench {
    /// Memory and CPU of everything with one idle node.
    func idle() async throws -> [Row] {
        try await Task.sleep(for: .seconds(3))
        let before = try usage()
        let begin = ContinuousClock.now
        try await Task.sleep(for: .seconds(20))
        let after = try usage()
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        return [
            Row(
                "idle: memory of everything, proportional set size", after.memory / 1e6, "MB", budget: 90,
                reference: "821 MB"),
            Row(
                "idle: CPU of a core", (after.cpu - before.cpu) / seconds * 100, "%", budget: 0.5, reference: "-"),
        ]
    }

    /// What all processes of the cluster use: bytes and seconds.
    func usage() throws -> (memory: Double, cpu: Double) {
        var memory = 0.0
        var cpu = 0.0
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int32(name) != nil {
            guard let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline"),
                let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ"),
                String(decoding: line, as: UTF8.self).contains("martlet"),
                String(decoding: line + environment, as: UTF8.self).contains(directory), Int32(name) != getpid(),
                let rollup = try? String(contentsOfFile: "/proc/\(name)/smaps_rollup", encoding: .utf8)
            else { continue }
            for line in rollup.split(separator: "\n") where line.hasPrefix("Pss:") {
                memory += (line.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0) * 1024
            }
            cpu += Self.runTime(of: Int32(name) ?? 0)
        }
        return (memory, cpu)
    }

    /// The seconds that a process ran, its ended threads included, as the scheduler counts them: in nanoseconds, where
    /// `/proc/PID/stat` has hundredths of a second.
    private static func runTime(of process: Int32) -> Double {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
