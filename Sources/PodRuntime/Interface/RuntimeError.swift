package enum RuntimeError: Error, Sendable, CustomStringConvertible {
    /// The container's program could not be executed; the text is what the pod's status shows.
    case start(String)
    /// No such sandbox or container, or it no longer runs.
    case notFound(String)
    case failed(String)

    /// The target of an ephemeral container does not run.
    package static func targetDoesNotRun(_ name: String) -> RuntimeError {
        .failed("invalid target container: container \"\(name)\" is not running")
    }

    package var description: String {
        switch self {
        case .start(let text), .notFound(let text), .failed(let text): text
        }
    }
}
