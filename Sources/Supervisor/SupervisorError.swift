/// Supervisor: the process tree of a cluster.
///
/// It creates the state directory and the certificates, holds the namespaces open, starts the components and restarts
/// them, binds host-side ports, and answers the command line. It knows nothing of pods or Services: that is the API's.

/// Why a command failed: what was wrong, where, and what to do about it.
public enum SupervisorError: Error, Sendable, CustomStringConvertible {
    /// The command was given something it cannot use.
    case usage(String)
    /// A file or directory cannot be used.
    case file(path: String, problem: String, remedy: String)
    /// A host-side port is not to be had.
    case port(address: String, port: Int, problem: String, remedy: String)
    /// A component did not come up; its last words.
    case component(name: String, problem: String, lastWords: [String], log: String)
    /// There is no such cluster, or it does not run.
    case notRunning(profile: String)
    case failed(String)

    public var description: String {
        switch self {
        case .usage(let text), .failed(let text): text
        case .file(let path, let problem, let remedy): "\(path): \(problem); \(remedy)"
        case .port(let address, let port, let problem, let remedy): "\(address):\(port): \(problem); \(remedy)"
        case .component(let name, let problem, let lastWords, let log):
            (["\(name) \(problem); its last words (all of them are in \(log)):"] + lastWords.map { "  " + $0 })
                .joined(separator: "\n")
        case .notRunning(let profile):
            "cluster \"\(profile)\" is not running; start it with: martlet start"
                + (profile == "martlet" ? "" : " --profile \(profile)")
        }
    }
}
