/// Fuzz: what reads bytes that others wrote, called with bytes that nobody would write (docs/contributing.md).
///
/// A target is a file in `Targets` and a line in `FuzzTargets.swift`; those of C are files in `C`. The inputs that each
/// begins with, and those that once broke it, are in `Corpus/NAME`; `make test` runs these, `make fuzz` looks for more.

/// Code under test, called with one input at a time.
struct FuzzTarget: Sendable, CustomStringConvertible {
    let name: String
    /// The max length of an input. Short ones are tried more often; a target whose faults are in its numbers needs no
    /// long ones.
    let maxLength: Int
    private let body: @Sendable ([UInt8]) throws -> Void

    /// - Parameter body: returns for any input, be it refused or taken, and throws `Violation` where what it returned
    ///   is not what it should be.
    init(_ name: String, maxLength: Int = 2048, _ body: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.name = name
        self.maxLength = maxLength
        self.body = body
    }

    func run(_ input: [UInt8]) throws { try body(input) }

    var description: String { name }
}

/// What must hold for every input does not for this one.
struct Violation: Error, CustomStringConvertible {
    let description: String
}

/// - Throws: `Violation` where the condition does not hold.
func require(_ condition: Bool, _ what: @autoclosure () -> String) throws(Violation) {
    guard condition else { throw Violation(description: what()) }
}

extension [UInt8] {
    /// As UTF-8, repaired where it is none.
    var text: String { String(decoding: self, as: UTF8.self) }
}
