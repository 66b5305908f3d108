import Addresses

/// An address of the machine at which the network reaches Services: `martlet start --listen-address`.
enum ListenAddress {
    /// In place of addresses: none any more.
    static let none = "none"

    /// Whether an address is one that others can reach, and not all of the machine's, among which are those of Services
    /// and of programs that are none of the network's business.
    static func isPossible(_ text: String) -> Bool {
        guard IPv4Address(text) != nil, let address = IPAddress(text) else { return false }
        return !address.isUnspecified && !address.isLoopback && !address.isLinkLocalMulticast
    }
}
