import Glibc

/// A descriptor that this value alone owns: closed when the value ends, once, and by nobody else.
///
/// The number is lent for one call at a time, since the kernel gives it to another file as soon as it is closed. What
/// several threads use is a `SharedDescriptor`.
public struct Descriptor: ~Copyable, Sendable {
    private let number: Int32

    /// Takes over a descriptor that a system call has just made, or that this process was given.
    ///
    /// Whatever can fail comes before: the `deinit` also runs where an initialiser fails with all properties set.
    public init(owning number: Int32) {
        precondition(number >= 0, "\(number) is no descriptor")
        self.number = number
    }

    /// Lends the number for the time of one call.
    public borrowing func withRawValue<Result: ~Copyable, Failure>(
        _ body: (Int32) throws(Failure) -> Result
    ) throws(Failure) -> Result { try body(number) }

    /// Gives the descriptor to an owner outside of Swift, which closes it.
    public consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    deinit {
        // Callers look at the error of their own call.
        let reason = errno
        // After any other error, such as that of a signal, the descriptor is closed too (close(2)).
        // EBADF ends the program: the number may be another's file by now, and going on could close a workload's pipe.
        if Glibc.close(number) != 0, errno == EBADF {
            fatalError("descriptor \(number) was closed by somebody who does not own it")
        }
        errno = reason
    }
}
