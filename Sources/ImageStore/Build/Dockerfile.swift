/// A Dockerfile, split into stages and instructions; variables are not expanded yet.
struct Dockerfile {
    struct Instruction {
        /// In capitals.
        let keyword: String
        /// `--name=value` words before the arguments.
        let flags: [(name: String, value: String)]
        let arguments: String
        let line: Int

        /// As a person would recognise it in the build's output.
        var summary: String {
            ([keyword] + flags.map { "--\($0.name)=\($0.value)" } + [arguments]).joined(separator: " ")
        }
    }

    struct Stage {
        let from: Instruction
        /// What follows `AS`, in lower case.
        let name: String?
        var instructions: [Instruction]
    }

    /// As errors name it.
    let file: String
    /// What stands before a character that is meant literally, and at the end of a line that goes on.
    let escape: Character
    /// `ARG`s before the first `FROM`.
    private(set) var globalArguments: [Instruction] = []
    private(set) var stages: [Stage] = []

    private static let keywords: Set<String> = [
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
        "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    ]

    init(parsing text: String, file: String) throws(ImageError) {
        self.file = file
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        if lines.first?.hasPrefix("\u{feff}") == true { lines[0] = lines[0].dropFirst() }
        escape = try Self.escapeDirective(lines, file: file)
        for (line, text) in logicalLines(lines) {
            let instruction = try instruction(text, line: line)
            if instruction.keyword == "FROM" {
                stages.append(try stage(instruction))
            } else if !stages.isEmpty {
                stages[stages.count - 1].instructions.append(instruction)
            } else if instruction.keyword == "ARG" {
                globalArguments.append(instruction)
            } else {
                throw failure(instruction, "no build stage yet: only ARG can come before the first FROM")
            }
        }
        if stages.isEmpty {
            throw .build(
                file: file, line: max(1, lines.count), instruction: "end of file",
                problem: "there is no FROM instruction; 'FROM scratch' or 'FROM host' starts an image from nothing or "
                    + "from this machine's root")
        }
    }

    func failure(_ instruction: Instruction, _ problem: String) -> ImageError {
        .build(file: file, line: instruction.line, instruction: instruction.keyword, problem: problem)
    }

    /// The parser directives are the comments `# name=value` at the very top.
    private static func escapeDirective(_ lines: [Substring], file: String) throws(ImageError) -> Character {
        for (index, line) in lines.enumerated() {
            let text = line.trimmed
            guard text.hasPrefix("#"), let equals = text.firstIndex(of: "=") else { break }
            let name = text[text.index(after: text.startIndex)..<equals].trimmed.lowercased()
            guard !name.isEmpty, name.allSatisfy(\.isLetter) else { break }
            guard name == "escape" else { continue }
            let value = text[text.index(after: equals)...].trimmed
            guard value == "\\" || value == "`" else {
                throw .build(
                    file: file, line: index + 1, instruction: "# escape", problem: "\"\(value)\" is neither \\ nor `")
            }
            return Character(String(value))
        }
        return "\\"
    }

    /// Instructions as one line each, with the number of their first: joins continued lines, drops comments.
    private func logicalLines(_ lines: [Substring]) -> [(line: Int, text: String)] {
        var result: [(line: Int, text: String)] = []
        var current: (line: Int, text: String)?
        for (index, line) in lines.enumerated() {
            let trimmed = line.trimmed
            // Also between continued lines, where empty lines are skipped too.
            if trimmed.isEmpty || trimmed.hasPrefix("#") { continue }
            let end = line.trimmedAtEnd
            let goesOn = end.last == escape
            let part = goesOn ? end.dropLast() : current == nil ? trimmed : Substring(end)
            let text = (current?.text ?? "") + (current == nil ? part.trimmedAtStart : part)
            let first = current?.line ?? index + 1
            if goesOn {
                current = (first, text)
            } else {
                result.append((first, text))
                current = nil
            }
        }
        if let current { result.append(current) }
        return result
    }

    private func instruction(_ text: String, line: Int) throws(ImageError) -> Instruction {
        var rest = Substring(text)
        let word = rest.prefix { !$0.isWhitespace }
        rest = rest[word.endIndex...].trimmed
        let keyword = word.uppercased()
        func failure(_ problem: String) -> ImageError {
            .build(file: file, line: line, instruction: keyword, problem: problem)
        }
        guard Self.keywords.contains(keyword) else { throw failure("unknown instruction \"\(word)\"") }
        var flags: [(name: String, value: String)] = []
        if ["COPY", "ADD", "FROM", "RUN", "HEALTHCHECK"].contains(keyword) {
            while rest.hasPrefix("--") {
                let flag = rest.prefix { !$0.isWhitespace }
                rest = rest[flag.endIndex...].trimmed
                let parts = flag.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                flags.append((String(parts[0]), parts.count > 1 ? String(parts[1]) : "true"))
            }
        }
        guard !rest.isEmpty else { throw failure("needs an argument") }
        if ["COPY", "ADD", "RUN"].contains(keyword), rest.contains("<<") {
            throw failure("here-documents are not supported: put the text into a file of the context")
        }
        return Instruction(keyword: keyword, flags: flags, arguments: String(rest), line: line)
    }

    private func stage(_ instruction: Instruction) throws(ImageError) -> Stage {
        let words = instruction.arguments.split(whereSeparator: \.isWhitespace)
        if words.count == 1 { return Stage(from: instruction, name: nil, instructions: []) }
        guard words.count == 3, words[1].lowercased() == "as" else {
            throw failure(instruction, "takes IMAGE or IMAGE AS NAME")
        }
        let name = words[2].lowercased()
        let isName =
            name.utf8.first.map { (97...122).contains($0) } == true
            && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0) }
        guard isName, name != "scratch", name != "host" else {
            throw failure(instruction, "\"\(name)\" cannot name a stage: a letter, then letters, digits, -, _ and .")
        }
        return Stage(from: instruction, name: name, instructions: [])
    }
}

extension StringProtocol {
    var trimmedAtStart: SubSequence { drop(while: \.isWhitespace) }

    var trimmedAtEnd: SubSequence {
        var end = endIndex
        while end > startIndex, self[index(before: end)].isWhitespace { end = index(before: end) }
        return self[startIndex..<end]
    }

    var trimmed: SubSequence { trimmedAtEnd.trimmedAtStart }
}
