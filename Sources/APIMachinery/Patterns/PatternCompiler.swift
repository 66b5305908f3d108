/// What a regular expression says.
indirect enum PatternTree: Sendable {
    case empty
    case scalar(ScalarSet)
    case assert(Pattern.Assertion)
    case sequence([PatternTree])
    case choice([PatternTree])
    /// - Parameter max: nil for any number.
    case repetition(PatternTree, min: Int, max: Int?)
}

/// Writes an expression as the instructions of an automaton.
struct PatternCompiler {
    private var program: [Pattern.Instruction] = []
    /// How many parts were written, those that need no instruction too.
    private var parts = 0

    mutating func finish() throws(PatternError) -> [Pattern.Instruction] {
        try emit(.match)
        return program
    }

    mutating func add(_ tree: PatternTree) throws(PatternError) {
        parts += 1
        guard parts <= 4 * Pattern.maxInstructions else { throw Self.tooLarge }
        switch tree {
        case .empty: break
        case .scalar(let set): try emit(.scalar(set))
        case .assert(let assertion): try emit(.assert(assertion))
        case .sequence(let parts): for part in parts { try add(part) }
        case .choice(let parts): try choose(parts)
        case .repetition(let part, let min, let max):
            for _ in 0..<min { try add(part) }
            guard let max else { return try loop(part) }
            // Each further one is there only where those before it are.
            var exits: [Int] = []
            for _ in min..<Swift.max(min, max) {
                exits.append(program.count)
                try emit(.match)
                try add(part)
            }
            for exit in exits { program[exit] = .split(exit + 1, program.count) }
        }
    }

    private mutating func choose(_ parts: [PatternTree]) throws(PatternError) {
        var ends: [Int] = []
        for part in parts.dropLast() {
            let start = program.count
            try emit(.match)
            try add(part)
            ends.append(program.count)
            try emit(.match)
            program[start] = .split(start + 1, program.count)
        }
        if let last = parts.last { try add(last) }
        for end in ends { program[end] = .jump(program.count) }
    }

    private mutating func loop(_ part: PatternTree) throws(PatternError) {
        let start = program.count
        try emit(.match)
        try add(part)
        try emit(.jump(start))
        program[start] = .split(start + 1, program.count)
    }

    private mutating func emit(_ instruction: Pattern.Instruction) throws(PatternError) {
        guard program.count < Pattern.maxInstructions else { throw Self.tooLarge }
        program.append(instruction)
    }

    private static var tooLarge: PatternError {
        PatternError(problem: "expression too large", part: "more than \(Pattern.maxInstructions) instructions")
    }
}
