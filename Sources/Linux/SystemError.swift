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

/// The result of a C call, or the error in `errno` where that is -1. Calls again when a signal interrupted it.
@discardableResult
func check<Result: BinaryInteger>(
    _ call: String, _ subject: @autoclosure () -> String = "", _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let error = Glibc.errno
        if error != EINTR { throw SystemError(call, errno: error, subject()) }
    }
}
