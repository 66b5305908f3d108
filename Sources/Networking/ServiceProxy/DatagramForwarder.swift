import Linux

/// Receives datagrams at one host address and carries each client's to an endpoint, and the answers back.
final class DatagramForwarder: Sendable {
    private let listener: RelayListener
    private let loop: RelayLoop

    /// - Parameter descriptor: a bound socket; the forwarder has a descriptor of its own for it.
    init(descriptor: SharedDescriptor, balancer: Balancer) throws(SystemError) {
        loop = try RelayLoop.shared.get()
        listener = try RelayListener(try descriptor.duplicate(), .datagram, balancer)
        loop.listen(listener)
    }

    /// A client whose endpoint is one no more has another one after this.
    func update(_ wanted: HostListener) async {
        listener.update(backends: wanted.backends, affinityTimeout: wanted.affinityTimeout)
        await loop.review(listener)
    }

    func stop() async { await loop.stop(listener) }
}
