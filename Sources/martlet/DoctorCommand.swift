import ArgumentParser
import KubernetesModel
import Supervisor

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Show what this machine offers, what it lacks, and what that means.",
        discussion: "Exits with status 1 where a cluster cannot start.")

    @Option(name: [.short, .long], help: "How to print it.")
    var output = OutputFormat.table

    func run() async throws {
        let findings = try await Doctor().examine()
        switch output {
        case .json:
            let list = findings.map { finding -> JSON in
                [
                    "capability": .string(finding.capability), "state": .string(finding.state.rawValue),
                    "detail": .string(finding.detail), "consequence": .string(finding.consequence),
                    "remedy": .string(finding.remedy),
                ]
            }
            Console.print(JSON.array(list))
        case .table:
            Console.table(findings.map { [$0.state.rawValue, $0.capability, $0.detail] })
            for finding in findings where finding.state != .available {
                Console.print("")
                Console.print("\(finding.capability): \(finding.consequence)")
                Console.print("  remedy: \(finding.remedy)")
            }
        }
        if findings.contains(where: { $0.state == .missing }) { throw ExitCode(1) }
    }
}
