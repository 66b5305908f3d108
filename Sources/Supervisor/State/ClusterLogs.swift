import ClusterLayout
import Glibc

/// The logs of a cluster's components.
public struct ClusterLogs: Sendable {
    let paths: ClusterPaths

    public init(_ paths: ClusterPaths) { self.paths = paths }

    /// The components that have a log.
    public func components() throws(SupervisorError) -> [String] {
        guard try Files.read(paths.configuration) != nil else { throw .notRunning(profile: paths.profile) }
        return Files.names(paths.logs).filter { $0.hasSuffix(".log") }.map { String($0.dropLast(4)) }.sorted()
    }

    public func text(_ component: String) throws(SupervisorError) -> String {
        let known = try components()
        guard known.contains(component), let text = try Files.text(paths.log(component)) else {
            throw .usage("no component \"\(component)\"; there are \(known.joined(separator: ", "))")
        }
        return text
    }
}
