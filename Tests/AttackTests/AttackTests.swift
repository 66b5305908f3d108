/// AttackTests: what must not get in, tried. Each test does what an attacker would, within limits of its own, and looks at
/// the machine afterwards. docs/security.md names the finding of each.

import Glibc
import Linux
import PodRuntime
import SandboxNode
import Testing

extension SandboxNode {
    /// What a script prints in a new container, by lines; errors too.
    func output(
        _ script: String, pod: String = "one", name: String = "main",
        _ change: (inout ContainerConfiguration) -> Void = { _ in }
    ) async throws -> [String] {
        let id = try await run(pod, ["sh", "-c", script], name: name, change)
        _ = try await end(of: id)
        return try log(id).split(separator: "\n").map { line in
            line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).last.map(String.init) ?? ""
        }
    }

    /// What a script prints that is executed in a running container.
    func output(of script: String, in container: ContainerID) async throws -> String {
        let session = try await runtime.execute(
            ExecConfiguration(container: container, arguments: ["sh", "-c", script]))
        let bytes = try await Blocking.run { () throws(SystemError) in try session.stdout?.readToEnd() ?? [] }
        _ = try await session.wait()
        return String(decoding: bytes, as: UTF8.self)
    }
}

func mode(of path: String) throws -> mode_t {
    var status = stat()
    try #require(stat(path, &status) == 0)
    return status.st_mode & 0o7777
}
