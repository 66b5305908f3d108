/// Why the server could not start.
public enum APIServerError: Error, Sendable, CustomStringConvertible {
    case unreadable(file: String, problem: String)
    case unusableSocket(where: String, problem: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let problem):
            "\(file): \(problem); make sure that it is a readable PEM file, or delete the cluster and start it anew"
        case .unusableSocket(let place, let problem):
            "cannot serve the API at \(place): \(problem); choose another port or end the process that has it"
        }
    }
}
