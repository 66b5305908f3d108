/// Rewrites the links of an HTML page as it passes: the values of attributes that are URLs, and no other byte.
struct HTMLLinks: Sendable {
    private enum State {
        case text
        case comment
        /// The contents of an element that has no markup within, such as `script`, up to its end tag.
        case raw([UInt8])
    }

    /// The attributes that are URLs, by the names of their elements.
    private static let attributes: [String: Set<String>] = [
        "a": ["href"], "applet": ["codebase"], "area": ["href"], "audio": ["src"], "base": ["href"],
        "blockquote": ["cite"], "body": ["background"], "button": ["formaction"], "command": ["icon"], "del": ["cite"],
        "embed": ["src"], "form": ["action"], "frame": ["longdesc", "src"], "head": ["profile"], "html": ["manifest"],
        "iframe": ["longdesc", "src"], "img": ["longdesc", "src", "usemap"], "input": ["src", "usemap", "formaction"],
        "ins": ["cite"], "link": ["href"], "object": ["classid", "codebase", "data", "usemap"], "q": ["cite"],
        "script": ["src"], "source": ["src"], "video": ["poster", "src"],
    ]
    private static let rawElements: Set<String> = [
        "script", "style", "textarea", "title", "xmp", "noembed", "noframes",
    ]
    /// A longer tag passes as it is.
    private static let maxTag = 64 << 10

    private let links: ProxiedLinks
    private var state = State.text
    /// What has come and cannot be judged yet: the beginning of a tag, or of an end.
    private var pending: [UInt8] = []

    init(_ links: ProxiedLinks) { self.links = links }

    /// The next part of the page, as far as it is complete.
    mutating func rewrite(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        pending += bytes
        return take(isLast: false)
    }

    /// What is left at the page's end.
    mutating func finish() -> [UInt8] { take(isLast: true) }

    private mutating func take(isLast: Bool) -> [UInt8] {
        var output: [UInt8] = []
        var rest = pending[...]
        loop: while !rest.isEmpty {
            switch state {
            case .comment:
                if pass(&rest, through: Array("-->".utf8), &output) { state = .text } else { break loop }
            case .raw(let name):
                if pass(&rest, upTo: Array("</".utf8) + name, &output) { state = .text } else { break loop }
            case .text:
                let plain = rest.prefix { $0 != UInt8(ascii: "<") }
                output += plain
                rest = rest.dropFirst(plain.count)
                if rest.isEmpty { break loop }
                if !markup(&rest, &output) {
                    guard rest.count > Self.maxTag else { break loop }
                    output.append(rest.removeFirst())
                }
            }
        }
        if isLast {
            output += rest
            rest = []
        }
        pending = Array(rest)
        return output
    }

    /// Takes what begins with `<`; returns whether it is complete.
    private mutating func markup(_ rest: inout ArraySlice<UInt8>, _ output: inout [UInt8]) -> Bool {
        let opening = Array("<!--".utf8)
        if rest.starts(with: opening) {
            output += opening
            rest = rest.dropFirst(opening.count)
            state = .comment
            return true
        }
        if opening.starts(with: rest) { return false }
        guard HTMLTag.isLetter(rest[rest.startIndex + 1]) else {
            output.append(rest.removeFirst())
            return true
        }
        guard let tag = HTMLTag(rest) else { return false }
        var position = rest.startIndex
        for (name, value) in tag.attributes where Self.attributes[tag.name]?.contains(name) ?? false {
            output += rest[position..<value.lowerBound]
            output += links.rewritten(String(decoding: rest[value], as: UTF8.self)).utf8
            position = value.upperBound
        }
        output += rest[position..<tag.end]
        rest = rest[tag.end...]
        if Self.rawElements.contains(tag.name) { state = .raw(Array(tag.name.utf8)) }
        return true
    }

    /// Passes all up to an end, itself included; returns whether it has come.
    private func pass(_ rest: inout ArraySlice<UInt8>, through end: [UInt8], _ output: inout [UInt8]) -> Bool {
        guard pass(&rest, upTo: end, &output) else { return false }
        output += rest.prefix(end.count)
        rest = rest.dropFirst(end.count)
        return true
    }

    /// Passes all before an end, in whichever case its letters are; keeps what may be its beginning.
    private func pass(_ rest: inout ArraySlice<UInt8>, upTo end: [UInt8], _ output: inout [UInt8]) -> Bool {
        var position = rest.startIndex
        while position + end.count <= rest.endIndex {
            if zip(rest[position...], end).allSatisfy({ HTMLTag.lowercased($0) == $1 }) {
                output += rest[..<position]
                rest = rest[position...]
                return true
            }
            position += 1
        }
        output += rest[..<position]
        rest = rest[position...]
        return false
    }
}

/// A start tag: its element, and where its attributes' values are (HTML, 13.2.5).
struct HTMLTag {
    let name: String
    let attributes: [(name: String, value: Range<Int>)]
    /// Behind its `>`.
    let end: Int

    /// - Parameter bytes: from its `<` on, with a letter behind it.
    /// - Returns: nil where its end has not come.
    init?(_ bytes: ArraySlice<UInt8>) {
        var position = bytes.startIndex + 1
        func word(until isEnd: (UInt8) -> Bool) -> Range<Int> {
            let start = position
            while position < bytes.endIndex, !isEnd(bytes[position]) { position += 1 }
            return start..<position
        }
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range].map(Self.lowercased), as: UTF8.self) }
        let (slash, more, equals) = (UInt8(ascii: "/"), UInt8(ascii: ">"), UInt8(ascii: "="))
        name = text(word { Self.isSpace($0) || $0 == slash || $0 == more })
        var found: [(name: String, value: Range<Int>)] = []
        while true {
            _ = word { !Self.isSpace($0) && $0 != slash }
            guard position < bytes.endIndex else { return nil }
            if bytes[position] == more { break }
            // An equals sign at the beginning is a part of the name.
            let start = position
            position += 1
            _ = word { Self.isSpace($0) || $0 == slash || $0 == more || $0 == equals }
            let attribute = text(start..<position)
            _ = word { !Self.isSpace($0) }
            guard position < bytes.endIndex else { return nil }
            guard bytes[position] == equals else { continue }
            position += 1
            _ = word { !Self.isSpace($0) }
            guard position < bytes.endIndex else { return nil }
            let quote = bytes[position]
            guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
                found.append((attribute, word { Self.isSpace($0) || $0 == more }))
                continue
            }
            position += 1
            found.append((attribute, word { $0 == quote }))
            guard position < bytes.endIndex else { return nil }
            position += 1
        }
        attributes = found
        end = position + 1
    }

    static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lowercased(byte)) }
    static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0C, 0x0D].contains(byte) }
}
