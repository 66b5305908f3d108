import Linux

/// Accepts connections at one host address and carries each to an endpoint.
final class StreamForwarder: Sendable {
    private let listener: RelayListener
    private let loop: RelayLoop

    /// - Parameter descriptor: a listening socket; the forwarder has a descriptor of its own for it.
    init(descriptor: SharedDescriptor, balancer: Balancer) throws(SystemError) {
        loop = try RelayLoop.shared.get()
        listener = try RelayListener(try descriptor.duplicate(), .stream, balancer)
        loop.listen(listener)
    }

    /// Affects new connections only; those that are open go on.
    func update(_ wanted: HostListener) {
        listener.update(backends: wanted.backends, affinityTimeout: wanted.affinityTimeout)
    }

    /// Accepts no more; open connections go on.
    func stop() async { await loop.stop(listener) }
}
