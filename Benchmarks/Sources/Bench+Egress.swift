import Foundation
import KubernetesModel
import Subprocess

extension Bench {
    /// What a pod gets of a peer outside, by each program that can carry it, beside what the machine itself gets. The
    /// machine and the outside are network namespaces of the run's own.
    func egress() async throws -> [Row] {
        var rows: [Row] = []
        for program in ["slirp4netns", "pasta"] {
            let result = try await Subprocess.run(
                .name("unshare"),
                arguments: [
                    "--net", "--mount", "--pid", "--fork", "--kill-child", "Benchmarks/egress", martlet, program,
                ],
                output: .string(limit: 1 << 16), error: .string(limit: 1 << 20))
            let lines = result.standardOutput.split(separator: "\n").compactMap { try? JSON(decoding: Array($0.utf8)) }
            guard result.terminationStatus.isSuccess, lines.count == 2 else {
                throw BenchError(text: "egress by \(program): \(result.standardError)")
            }
            func share(_ field: String) -> Double { lines[1].number(field) / max(lines[0].number(field), 1) }
            rows += [
                Row(
                    "egress by \(program): bulk to a pod, of the machine's own", share("down"), "", budget: nil,
                    reference: "-"),
                Row(
                    "egress by \(program): bulk from a pod, of the machine's own", share("up"), "", budget: nil,
                    reference: "-"),
                Row(
                    "egress by \(program): new connections, of the machine's own", share("connections"), "",
                    budget: nil,
                    reference: "-"),
                Row(
                    "egress by \(program): round trip, median of 500", lines[1].number("trip"), "ms", budget: nil,
                    reference: "\((lines[0].number("trip") * 1000).rounded() / 1000) ms"),
            ]
        }
        return rows
    }
}

extension JSON {
    fileprivate func number(_ field: String) -> Double { self[field].double ?? 0 }
}
