import Linux

/// Binds addresses of the host, in whose network namespace the service proxy is not.
public protocol HostBinder: Sendable {
    /// A bound socket, listening if it is TCP.
    ///
    /// - Throws: `HostBindError` with the system's words.
    func bind(_ address: HostAddress) async throws -> SharedDescriptor
    /// The address is needed no more.
    func release(_ address: HostAddress) async
    /// No others are needed of those that were bound before this process began.
    func retain(_ addresses: Set<HostAddress>) async
}

/// An address of the host at which a Service is reached.
public struct HostAddress: Sendable, Hashable, CustomStringConvertible {
    public var address: String
    public var port: Int
    /// `TCP` or `UDP`
    public var transport: String

    public var description: String { "\(address):\(port)/\(transport)" }
}

/// Why an address could not be bound.
public struct HostBindError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
