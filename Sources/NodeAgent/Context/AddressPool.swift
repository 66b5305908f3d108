import Addresses
import KubernetesModel
import Linux

/// The addresses of a node's pods. Each pod's is in a file of its directory, so that a new agent knows which are taken.
actor AddressPool {
    private let network: IPv4Network
    private let podDirectory: String
    private var taken: [String: Int] = [:]
    /// The next to try: a released address is reused last.
    private var next = AddressPlan.podNumbers.lowerBound

    struct Exhausted: Error, CustomStringConvertible {
        let network: IPv4Network
        var description: String {
            "no address left in \(network): delete pods of this node, or add a node with: martlet node add"
        }
    }

    init(configuration: NodeAgentConfiguration) {
        network = configuration.podNetwork
        podDirectory = configuration.paths.pods
        for uid in (try? listDirectory(podDirectory)) ?? [] {
            guard let text = try? readFile("\(podDirectory)/\(uid)/address"), let address = IPv4Address(text)
            else { continue }
            let number = Int(address.value & 255)
            taken[uid] = number
            next = max(next, number + 1)
        }
    }

    /// The pod's address; asking again gives the same one.
    func take(uid: String) throws -> String {
        if let number = taken[uid] { return address(number) }
        let used = Set(taken.values)
        let candidates = Array(AddressPlan.podNumbers)
        let start = candidates.firstIndex { $0 >= next } ?? 0
        guard let number = (candidates[start...] + candidates[..<start]).first(where: { !used.contains($0) }) else {
            throw Exhausted(network: network)
        }
        let address = address(number)
        try makeDirectory("\(podDirectory)/\(uid)")
        try replaceFile("\(podDirectory)/\(uid)/address", Array(address.utf8))
        taken[uid] = number
        next = number + 1
        return address
    }

    private func address(_ number: Int) -> String { network.base.advanced(by: number).description }

    func release(uid: String) { taken[uid] = nil }
}
