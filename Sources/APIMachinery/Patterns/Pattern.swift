/// A regular expression that users write (`pattern` in the schema of a custom resource), in the syntax of Go's `regexp`
/// as Kubernetes has it.
///
/// All threads of the automaton go through the text together, so that the time grows with the length of the text times
/// that of the expression, whatever both are. One that tries one way after the other takes time exponential in the text
/// for `(a+)+$`, and would hold up everyone.
package struct Pattern: Sendable {
    package enum Outcome: Sendable, Equatable {
        case matches, differs
        /// The text is too long for the expression to be looked at.
        case tooCostly
    }

    enum Assertion: Sendable {
        case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
    }

    enum Instruction: Sendable {
        case scalar(ScalarSet)
        case assert(Assertion)
        /// Both ways.
        case split(Int, Int)
        case jump(Int)
        case match
    }

    /// Of the expression, its repetitions written out.
    static let maxInstructions = 10_000
    /// Steps of threads, some nanoseconds each.
    private static let maxSteps = 10_000_000

    private let program: [Instruction]
    /// Whether a match can only begin where the text does.
    private let isAnchored: Bool

    /// - Throws: `PatternError` in Go's words.
    package init(_ text: String) throws(PatternError) {
        var parser = PatternParser(text)
        let tree = try parser.parse()
        var compiler = PatternCompiler()
        try compiler.add(tree)
        program = try compiler.finish()
        isAnchored = if case .assert(.textStart) = program[0] { true } else { false }
    }

    /// Whether some part of the text matches.
    package func match(_ text: String) -> Outcome {
        var run = Run(program)
        var before: Unicode.Scalar?
        var steps = 0
        for scalar in text.unicodeScalars {
            run.settle(before: before, after: scalar)
            if before == nil || !isAnchored { run.begin(before: before, after: scalar) }
            if run.hasMatched { return .matches }
            if run.isOver, isAnchored { return .differs }
            steps += run.count + 1
            guard steps <= Self.maxSteps else { return .tooCostly }
            run.step(scalar)
            before = scalar
        }
        run.settle(before: before, after: nil)
        if before == nil || !isAnchored { run.begin(before: before, after: nil) }
        return run.hasMatched ? .matches : .differs
    }

    /// The threads at one place of the text.
    private struct Run {
        private let program: [Instruction]
        /// Where threads wait for the next scalar.
        private var waiting: [Int] = []
        /// Where threads go on behind the scalar that was read last.
        private var arrived: [Int] = []
        private var seen: [UInt32]
        private var mark: UInt32 = 1
        private var stack: [Int] = []
        private(set) var hasMatched = false

        init(_ program: [Instruction]) {
            self.program = program
            seen = [UInt32](repeating: 0, count: program.count)
        }

        var count: Int { waiting.count }
        var isOver: Bool { waiting.isEmpty && arrived.isEmpty }

        /// Begins a thread between two scalars.
        mutating func begin(before: Unicode.Scalar?, after: Unicode.Scalar?) { follow(0, before: before, after: after) }

        /// Lets the threads that have arrived go on to where they wait for a scalar. What assertions say of their place
        /// is known with the next one.
        mutating func settle(before: Unicode.Scalar?, after: Unicode.Scalar?) {
            for place in arrived { follow(place, before: before, after: after) }
            arrived.removeAll(keepingCapacity: true)
        }

        mutating func step(_ scalar: Unicode.Scalar) {
            for place in waiting {
                if case .scalar(let set) = program[place], set.contains(scalar) { arrived.append(place + 1) }
            }
            waiting.removeAll(keepingCapacity: true)
            mark += 1
        }

        private mutating func follow(_ start: Int, before: Unicode.Scalar?, after: Unicode.Scalar?) {
            stack.append(start)
            while let place = stack.popLast() {
                guard seen[place] != mark else { continue }
                seen[place] = mark
                switch program[place] {
                case .scalar: waiting.append(place)
                case .jump(let target): stack.append(target)
                case .split(let first, let second):
                    stack.append(second)
                    stack.append(first)
                case .assert(let assertion):
                    if Self.holds(assertion, before, after) { stack.append(place + 1) }
                case .match: hasMatched = true
                }
            }
        }

        private static func holds(
            _ assertion: Assertion, _ before: Unicode.Scalar?, _ after: Unicode.Scalar?
        ) -> Bool {
            func isWord(_ scalar: Unicode.Scalar?) -> Bool { scalar.map(ScalarSet.word.contains) ?? false }
            switch assertion {
            case .textStart: return before == nil
            case .textEnd: return after == nil
            case .lineStart: return before == nil || before == "\n"
            case .lineEnd: return after == nil || after == "\n"
            case .wordBoundary: return isWord(before) != isWord(after)
            case .noWordBoundary: return isWord(before) == isWord(after)
            }
        }
    }
}

/// Why a text is no regular expression.
package struct PatternError: Error, Sendable, Hashable, CustomStringConvertible {
    package let problem: String
    package let part: String

    package var description: String { "error parsing regexp: \(problem): `\(part)`" }
}
