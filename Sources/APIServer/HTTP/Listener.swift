/// A place to serve the API at.
public enum Listener: Sendable, Hashable {
    /// A listening TCP socket that somebody else bound, perhaps in another network namespace. It is closed when the
    /// server ends.
    case descriptor(CInt)
    /// An address to bind; port 0 takes any.
    case address(String, port: Int)
}
