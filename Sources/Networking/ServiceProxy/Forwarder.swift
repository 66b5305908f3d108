import Linux

/// Carries what comes to one host address to endpoints: connections, or datagrams and their answers.
final class Forwarder: Sendable {
    private let listener: RelayListener
    private let loop: RelayLoop

    /// - Parameter descriptor: a socket that listens, or is bound for datagrams; the forwarder has a descriptor of its
    ///   own for it.
    init(
        _ transport: RelayListener.Transport, descriptor: SharedDescriptor, balancer: Balancer
    ) throws(SystemError) {
        loop = try RelayLoop.shared.get()
        listener = try RelayListener(try descriptor.duplicate(), transport, balancer)
        loop.listen(listener)
    }

    /// Connections that are open go on. A client of datagrams whose endpoint is one no more has another after this.
    func update(_ wanted: HostListener) async {
        listener.update(backends: wanted.backends, affinityTimeout: wanted.affinityTimeout)
        await loop.review(listener)
    }

    /// Accepts no more; open connections go on.
    func stop() async { await loop.stop(listener) }
}
