import APIClient
import Foundation
import KubernetesModel

extension Bench {
    /// Nothing → the cluster is Ready, five times.
    func start() async throws -> [Row] {
        var times: [Double] = []
        for _ in 0..<5 {
            times.append(try await milliseconds { try await command("start") })
            try await command("delete")
        }
        return [
            Row(
                name: "start: nothing to node Ready, median of 5", value: times.median, unit: "ms", budget: 500,
                reference: "19-22 s")
        ]
    }

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
                name: "idle: memory of everything, proportional set size", value: after.memory / 1e6, unit: "MB",
                budget: 90, reference: "821 MB"),
            Row(
                name: "idle: CPU of a core", value: (after.cpu - before.cpu) / seconds * 100, unit: "%", budget: 0.5,
                reference: "-"),
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
                String(decoding: line + environment, as: UTF8.self).contains(folder), Int32(name) != getpid(),
                let rollup = try? String(contentsOfFile: "/proc/\(name)/smaps_rollup", encoding: .utf8),
                let stat = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8)
            else { continue }
            for line in rollup.split(separator: "\n") where line.hasPrefix("Pss:") {
                memory += (line.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0) * 1024
            }
            let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
            if fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) {
                cpu += (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
            }
        }
        return (memory, cpu)
    }
}
