import Glibc

/// A system call that failed: which one, on what, and why.
public struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    public let call: String
    public let errno: Int32
    /// The path, link or process that it was about; empty where it was about none.
    public let subject: String

    public init(_ call: String, errno: Int32 = Glibc.errno, _ subject: String = "") {
        self.call = call
        self.errno = errno
        self.subject = subject
    }

    public var description: String {
        "\(call)\(subject.isEmpty ? "" : " \(subject)"): \(String(cString: strerror(errno)))"
    }
}
