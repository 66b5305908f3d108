/// A socket to serve the API at.
public enum Listener: Sendable, Hashable {
    /// A listening TCP socket that another process bound, perhaps in another network namespace. The server closes it.
    case descriptor(CInt)
    /// An address to bind; port 0 takes any.
    case address(String, port: Int)
}
