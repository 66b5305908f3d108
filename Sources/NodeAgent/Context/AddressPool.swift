import KubernetesModel
import Linux

/// The addresses of a node's pods. Each pod's is in a file of its directory, so that a new agent knows which are taken.
actor AddressPool {
    private let prefix: String
    private let podFolder: String
    private var taken: [String: Int] = [:]
    /// The next to try: a released address is reused last.
    private var next = first
    /// .0 is the network, .1 the bridge.
    private static let first = 2
    private static let last = 254

    struct Exhausted: Error, CustomStringConvertible {
        let prefix: String
        var description: String {
            "no address left in \(prefix).0/24: delete pods of this node, or add a node with: martlet node add"
        }
    }

    init(configuration: NodeAgentConfiguration) {
        prefix = "10.244.\(configuration.index)"
        podFolder = configuration.podFolder
        for uid in (try? listFolder(podFolder)) ?? [] {
            guard let text = try? readFile("\(podFolder)/\(uid)/address"),
                let host = text.split(separator: ".").last.flatMap({ Int($0) })
            else { continue }
            taken[uid] = host
            next = max(next, host + 1)
        }
    }

    /// The pod's address; asking again gives the same one.
    func take(uid: String) throws -> String {
        if let host = taken[uid] { return "\(prefix).\(host)" }
        let used = Set(taken.values)
        let candidates = Array(Self.first...Self.last)
        let start = candidates.firstIndex { $0 >= next } ?? 0
        guard let host = (candidates[start...] + candidates[..<start]).first(where: { !used.contains($0) }) else {
            throw Exhausted(prefix: prefix)
        }
        let address = "\(prefix).\(host)"
        try makeFolder("\(podFolder)/\(uid)")
        try replaceFile("\(podFolder)/\(uid)/address", Array(address.utf8))
        taken[uid] = host
        next = host + 1
        return address
    }

    func release(uid: String) { taken[uid] = nil }
}
