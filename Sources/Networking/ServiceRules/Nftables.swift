import CNftables
import Linux
import Synchronization

/// Rules of the kernel's packet filter, by libnftables, in one network namespace.
public final class Nftables: Sendable {
    /// Why rules could not be changed.
    public enum Failure: Error, Sendable, CustomStringConvertible {
        /// The machine has no libnftables, or the kernel no nf_tables.
        case unavailable(String)
        /// The commands were refused, and nothing was changed.
        case refused(String)

        public var description: String {
            switch self {
            case .unavailable(let why): "nftables cannot be had (\(why)); install the package libnftables1"
            case .refused(let why): "nftables refused the rules: \(why)"
            }
        }
    }

    // Unchecked: libnftables' context is not for concurrent use, and is reached through the mutex below only, whose lock
    // is held by threads that may block.
    private struct Context: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private let context: Mutex<Context>
    private let namespace: SharedDescriptor?

    /// Loads the library and opens a conversation with the kernel. Reads no rules yet.
    ///
    /// - Parameter namespace: stays the caller's, who keeps it open; nil for the namespace of this process.
    public init(namespace: SharedDescriptor? = nil) throws(Failure) {
        if let failure = cnftables_load() { throw .unavailable(String(cString: failure)) }
        let opened = try Self.inside(namespace) { cnftables_open() }
        guard let opened else { throw .unavailable("its context cannot be made") }
        context = Mutex(Context(pointer: opened))
        self.namespace = namespace
    }

    private static func inside<Result>(
        _ namespace: SharedDescriptor?, _ body: () -> Result
    ) throws(Failure) -> Result {
        guard let namespace else { return body() }
        do {
            return try insideNetworkNamespace(namespace) { () throws(SystemError) in body() }
        } catch {
            throw .unavailable("\(error)")
        }
    }

    deinit { context.withLock { cnftables_close($0.pointer) } }

    /// Runs commands in nft's language: all of them, or none where one is refused.
    ///
    /// - Returns: what they print; lists come without elements.
    @discardableResult
    public func run(_ commands: String) async throws(Failure) -> String {
        try await Blocking.run { () throws(Failure) in
            try self.context.withLock { context throws(Failure) in
                guard try Self.inside(self.namespace, { cnftables_run(context.pointer, commands) }) == 0 else {
                    throw .refused(Self.firstLine(cnftables_error(context.pointer)))
                }
                return cnftables_output(context.pointer).map { String(cString: $0) } ?? ""
            }
        }
    }

    /// The rest of an error is the command again, and a line of carets below.
    private static func firstLine(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "" }
        return String(cString: text).split(separator: "\n").first.map(String.init) ?? ""
    }
}
