/// EndToEnd: a real cluster driven by real clients. Each test has a cluster of its own and leaves nothing behind.

import Foundation
import Subprocess
import Testing

/// What a command printed and how it ended.
struct CommandResult: CustomStringConvertible {
    let command: String
    let status: Int32
    let output: String
    let errors: String

    var description: String { "\(command) → \(status)\n\(output)\(errors)" }
    /// The output without white space at its ends.
    var text: String { output.trimmingCharacters(in: .whitespacesAndNewlines) }
}

struct CommandFailure: Error, CustomStringConvertible {
    let description: String
}

/// Runs real programs with an environment of its own.
struct Shell: Sendable {
    var environment: [String: String] = [:]
    /// Put in front of PATH.
    var path: [String] = []
    var directory = Repository.root
    /// A program with arguments that runs all others.
    var prefix: [String] = []

    private var variables: Subprocess.Environment {
        var updates: [Subprocess.Environment.Key: String?] = [:]
        for (name, value) in environment { updates[.init(stringLiteral: name)] = value }
        let inherited = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        updates["PATH"] = (path + [inherited, "/usr/sbin", "/sbin"]).joined(separator: ":")
        return .inherit.updating(updates)
    }

    /// Runs a program and returns what became of it, whatever its status.
    func attempt(_ program: String, _ arguments: [String], input: String = "") async throws -> CommandResult {
        let command = prefix + [program] + arguments
        let executable: Executable =
            command[0].hasPrefix("/") ? .path(.init(command[0])) : .name(command[0])
        let result = try await Subprocess.run(
            executable, arguments: .init(Array(command.dropFirst())), environment: variables,
            workingDirectory: .init(directory),
            input: .string(input), output: .string(limit: 64 << 20), error: .string(limit: 16 << 20))
        let status: Int32 =
            switch result.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): 128 + signal
            }
        return CommandResult(
            command: ([program] + arguments).joined(separator: " "), status: status,
            output: result.standardOutput, errors: result.standardError)
    }

    /// Runs a program that must succeed and returns what it printed.
    @discardableResult
    func run(_ program: String, _ arguments: [String], input: String = "") async throws -> String {
        let result = try await attempt(program, arguments, input: input)
        guard result.status == 0 else { throw CommandFailure(description: result.description) }
        return result.output
    }

    /// Runs a line as a POSIX shell would.
    @discardableResult
    func sh(_ line: String) async throws -> String { try await run("/bin/sh", ["-euc", line]) }
}

/// Where the project and its executables are.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path()
    /// The directory of the executables that were built with these tests.
    static let products = Bundle.main.executableURL?.deletingLastPathComponent().path() ?? root + ".build/debug"
    static let martlet = root + ".build/debug/martlet"
}
