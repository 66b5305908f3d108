/// A flow collection of YAML, and so an array or an object of JSON: where in a text its items are.
///
/// The text must be one that a reader of YAML accepts.
struct FlowCollection {
    struct Item {
        /// Without the white space, comments and commas around it.
        fileprivate(set) var range: Range<Int>
        /// The key of a mapping's item, with its quotes.
        fileprivate(set) var key: Range<Int>?
        /// Where the value of a mapping's item begins.
        fileprivate var start: Int?
        /// The comma that ends it.
        fileprivate(set) var comma: Int?

        var value: Range<Int> { (start ?? range.upperBound)..<range.upperBound }

        /// - Parameter isOwn: whether the token is in no collection inside the item.
        fileprivate mutating func extend(by token: FlowScanner.Token, isOwn: Bool) {
            if isOwn, token.kind == .colon, key == nil {
                key = range
            } else if key != nil, start == nil {
                start = token.range.lowerBound
            }
            range = range.lowerBound..<token.range.upperBound
        }
    }

    /// With its brackets.
    let range: Range<Int>
    private(set) var items: [Item] = []

    /// - Parameter start: where its opening bracket is.
    /// - Returns: nil where there is none, it is not closed, or it has anchors, aliases, tags or marked keys.
    init?(_ text: [UInt8], at start: Int) {
        guard start < text.count, "[{".utf8.contains(text[start]) else { return nil }
        var scanner = FlowScanner(text, at: start)
        var depth = 0
        var item: Item?
        repeat {
            guard let token = scanner.next() else { return nil }
            if token.kind == .close { depth -= 1 }
            if depth == 1, token.kind == .comma {
                guard var ended = item else { return nil }
                ended.comma = token.range.lowerBound
                items.append(ended)
                item = nil
            } else if depth > 0 {
                var longer = item ?? Item(range: token.range)
                longer.extend(by: token, isOwn: depth == 1)
                item = longer
            }
            if token.kind == .open { depth += 1 }
        } while depth > 0
        if let item { items.append(item) }
        range = start..<scanner.position
    }

    /// The first byte from `position` on that is neither white space nor in a comment; the end where there is none.
    static func content(of text: [UInt8], from position: Int) -> Int {
        var scanner = FlowScanner(text, at: position)
        scanner.skip()
        return scanner.position
    }
}

/// Splits the inside of a flow collection into tokens.
private struct FlowScanner {
    struct Token {
        enum Kind {
            case open, close, comma, colon
            /// A quoted scalar, or a byte of one without quotes.
            case scalar
        }

        let kind: Kind
        let range: Range<Int>
    }

    private let text: [UInt8]
    private(set) var position: Int
    /// Whether a scalar without quotes goes on, in which quotes and the like mean themselves.
    private var isPlain = false

    init(_ text: [UInt8], at position: Int) {
        self.text = text
        self.position = position
    }

    mutating func next() -> Token? {
        skip()
        guard position < text.count else { return nil }
        let start = position
        position += 1
        var kind = Token.Kind.scalar
        var isQuoted = false
        switch Unicode.Scalar(text[start]) {
        case "[", "{": kind = .open
        case "]", "}": kind = .close
        case ",": kind = .comma
        case ":" where !isPlain || position == text.count || " \t\r\n,[]{}".utf8.contains(text[position]): kind = .colon
        case "&", "*", "!", "?": guard isPlain else { return nil }
        case "\"", "'":
            isQuoted = !isPlain
            if isQuoted { guard closeQuote(text[start]) else { return nil } }
        default: break
        }
        isPlain = kind == .scalar && !isQuoted
        return Token(kind: kind, range: start..<position)
    }

    /// Goes over white space and comments.
    mutating func skip() {
        let start = position
        while position < text.count {
            // Without white space before it, a number sign is a part of the scalar.
            if text[position] == UInt8(ascii: "#"), position > start || !isPlain {
                position = text[position...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
                isPlain = false
            } else if " \t\r\n".utf8.contains(text[position]) {
                position += 1
            } else {
                return
            }
        }
    }

    /// Goes behind the quote that closes a scalar.
    private mutating func closeQuote(_ quote: UInt8) -> Bool {
        while position < text.count {
            let byte = text[position]
            position += 1
            if quote == UInt8(ascii: "\""), byte == UInt8(ascii: "\\") {
                position += 1
            } else if byte == quote {
                // Two single quotes stand for one.
                let isDoubled = quote == UInt8(ascii: "'") && position < text.count && text[position] == quote
                guard isDoubled else { return true }
                position += 1
            }
        }
        return false
    }
}
