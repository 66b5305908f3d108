import Addresses
import Glibc
import Linux

extension ClusterNetwork {
    /// Makes the link to the outside, with its addresses and routes. It leads nowhere until a program is at its other
    /// end, and stays when that ends.
    ///
    /// - Throws: `ENOENT` where the machine has no tun driver.
    public func setUpEgress() throws(SystemError) {
        var socket = try RouteSocket(namespace: namespace)
        if try socket.index(of: AddressPlan.egressLink) == nil {
            try TapDevice.make(AddressPlan.egressLink, in: namespace)
        }
        let link = try Self.index(AddressPlan.egressLink, &socket)
        try socket.perform(
            [
                .setMTU(link, RouteRequest.virtualMTU), .setUp(link),
                .addAddress(AddressPlan.egressAddress, prefix: AddressPlan.egress.prefix, to: link),
                .addRoute(to: IPv4Address(0), prefix: 0, via: AddressPlan.host),
            ], ignoring: [EEXIST])
    }

    /// Takes the link to the outside away, should there be one.
    public func removeEgress() throws(SystemError) {
        var socket = try RouteSocket(namespace: namespace)
        try socket.perform([.deleteLink(AddressPlan.egressLink)], ignoring: [ENODEV])
    }
}
