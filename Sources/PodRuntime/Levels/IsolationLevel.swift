import Logging

/// A way to isolate a node's pods from the machine and from each other: a row of `IsolationLevels.all`.
package protocol IsolationLevel: Sendable {
    /// As the log and `martlet doctor` show it.
    var name: String { get }
    /// What a pod gets.
    var summary: String { get }
    /// Why a process with these features cannot have it; empty where it can.
    func obstacles(_ host: HostFeatures) -> [IsolationObstacle]
    func makeRuntime(
        _ configuration: RuntimeConfiguration, resources: any ResourceController, logger: Logger
    ) -> any Runtime
}

/// One reason why a level is not available.
package struct IsolationObstacle: Sendable, Equatable {
    package let reason: String
    package let remedy: String
}

package enum IsolationLevels {
    /// The strongest first.
    package static let all: [any IsolationLevel] = [SandboxLevel()]

    /// The first level that is available.
    package static func choose(
        _ host: HostFeatures, from levels: [any IsolationLevel] = all
    ) throws(NoIsolationLevel) -> any IsolationLevel {
        var refused: [NoIsolationLevel.Refusal] = []
        for level in levels {
            let obstacles = level.obstacles(host)
            if obstacles.isEmpty { return level }
            refused.append(NoIsolationLevel.Refusal(level: level.name, obstacles: obstacles))
        }
        throw NoIsolationLevel(refusals: refused)
    }
}

/// Pods cannot be run here: no isolation level is available.
package struct NoIsolationLevel: Error, Equatable, CustomStringConvertible {
    package struct Refusal: Sendable, Equatable, CustomStringConvertible {
        package let level: String
        package let obstacles: [IsolationObstacle]

        package var description: String { "\(level): \(obstacles.map(\.reason).joined(separator: ", "))" }
    }

    package let refusals: [Refusal]

    package var description: String {
        let remedies = Set(refusals.flatMap(\.obstacles).map(\.remedy)).sorted()
        return "no isolation level is available, so that no pod can run: "
            + "\(refusals.map(\.description).joined(separator: "; ")); \(remedies.joined(separator: "; "))"
    }
}
