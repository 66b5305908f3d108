import Addresses
import Glibc
import Linux

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

    /// - Throws: `usage`, what is wrong with an address that a user has given.
    static func check(_ text: String) throws(SupervisorError) {
        guard isPossible(text) else {
            throw .usage(
                "--listen-address \(text): name an IPv4 address of this machine's network (see: ip address); not all of "
                    + "them, and no loopback address, where Services are anyway")
        }
        do {
            _ = try HostPorts.open(.init(address: text, port: 0, transport: "TCP"))
        } catch {
            throw .usage(
                "--listen-address \(text): nothing can listen there (\(String(cString: strerror(error.errno)))); name an "
                    + "address of this machine (see: ip address)")
        }
    }
}
