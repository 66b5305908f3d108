/// Benchmarks: what docs/architecture.md promises, measured on a cluster of its own and written as JSON.
///
/// Each row has its figure, its budget and, where upstream Kubernetes was measured on a like machine, that. Nothing
/// here fails because a figure is bad: a busy machine must not turn a measurement into a verdict.

import APIClient
import Foundation
import KubernetesModel
import Subprocess

@main
struct Benchmarks {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 2 else {
            print("usage: benchmarks MARTLET [ROW-PREFIX]...")
            exit(2)
        }
        let bench = Bench(martlet: arguments[1], only: Array(arguments.dropFirst(2)))
        let rows: [Row]
        do {
            rows = try await bench.run()
        } catch {
            await bench.remove()
            FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
            exit(1)
        }
        await bench.remove()
        let report: JSON = [
            "martlet": .string(Version.martlet), "cores": JSON(ProcessInfo.processInfo.activeProcessorCount),
            "kernel": .string(ProcessInfo.processInfo.operatingSystemVersionString),
            "time": .string(Timestamp.now.description), "rows": .array(rows.map(\.json)),
        ]
        print(report.description)
        FileHandle.standardError.write(Data("\n\(Row.table(rows))".utf8))
    }
}

/// One figure beside what it should be.
struct Row {
    let name: String
    let value: Double
    let unit: String
    /// Nil where a figure is there for comparison only.
    let budget: Double?
    let reference: String

    init(_ name: String, _ value: Double, _ unit: String, budget: Double?, reference: String) {
        self.name = name
        self.value = value
        self.unit = unit
        self.budget = budget
        self.reference = reference
    }

    /// More is better where things are counted by the second, and of ratios.
    var isWithinBudget: Bool? { budget.map { ["1/s", "x"].contains(unit) ? value >= $0 : value <= $0 } }

    var json: JSON {
        [
            "name": .string(name), "value": .double((value * 100).rounded() / 100), "unit": .string(unit),
            "budget": budget.map(JSON.double) ?? .null, "reference": .string(reference),
        ]
    }

    /// The rows as columns for people.
    static func table(_ rows: [Row]) -> String {
        func number(_ value: Double) -> String {
            value >= 1000 ? String(Int(value)) : String((value * 100).rounded() / 100)
        }
        let header = ["", "figure", "budget", "unit", "within", "reference"]
        let lines =
            [header]
            + rows.map { row in
                [
                    row.name, number(row.value), row.budget.map(number) ?? "-", row.unit,
                    row.isWithinBudget.map { $0 ? "yes" : "NO" } ?? "-", row.reference,
                ]
            }
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            zip(line, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 1 || column == 2 ? space + cell.0 : cell.0 + space
            }.joined(separator: "  ") + "\n"
        }.joined()
    }
}

/// A cluster to measure.
final class Bench: Sendable {
    let martlet: String
    let only: [String]
    let directory: String
    private let environment: [String: String]

    init(martlet: String, only: [String]) {
        self.martlet = martlet
        self.only = only
        directory = "/tmp/martlet-bench-\(getpid())"
        environment = [
            "MARTLET_STATE_HOME": directory + "/s", "MARTLET_RUNTIME_DIR": directory + "/r",
            "KUBECONFIG": directory + "/kubeconfig",
        ]
    }

    func run() async throws -> [Row] {
        var rows: [Row] = []
        func measure(_ name: String, _ body: () async throws -> [Row]) async throws {
            guard only.isEmpty || only.contains(where: name.hasPrefix) else { return }
            let measured = try await body()
            for row in measured {
                FileHandle.standardError.write(Data("\(row.name): \(row.json["value"]) \(row.unit)\n".utf8))
            }
            rows += measured
        }
        try await measure("start") { try await start() }
        try await measure("time-to-k8s") { try await timeToKubernetes() }
        try await measure("egress") { try await egress() }
        try await command("start")
        let client = try HTTPSClient(Kubeconfig(path: directory + "/kubeconfig"))
        try await measure("idle") { try await idle() }
        try await measure("pod") { try await pods(client) }
        try await measure("deployment") { try await deployment(client) }
        try await measure("network") { try await network(client) }
        try await measure("api") { try await api(client) }
        try await measure("watch") { try await watch(client) }
        await client.shutdown()
        return rows
    }

    @discardableResult
    func command(_ arguments: String...) async throws -> String {
        var updates: [Subprocess.Environment.Key: String?] = [:]
        for (name, value) in environment { updates[.init(stringLiteral: name)] = value }
        let result = try await Subprocess.run(
            .path(.init(martlet)), arguments: .init(arguments + ["--profile", "bench"]),
            environment: .inherit.updating(updates), output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else { throw BenchError(text: result.standardError) }
        return result.standardOutput
    }

    func remove() async {
        _ = try? await command("delete")
        try? FileManager.default.removeItem(atPath: directory)
    }
}

struct BenchError: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}

/// The time that `body` takes, in milliseconds.
func milliseconds(_ body: () async throws -> Void) async rethrows -> Double {
    let begin = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - begin) / .milliseconds(1)
}

extension [Double] {
    var median: Double { isEmpty ? 0 : sorted()[count / 2] }
}
