/// Reads the table of all built-in kinds' fields (`FieldTable.swift`), whose lines are
///
///     =DEFINITION [TAB description]
///     FIELD[!] TYPE [#NUMBER[*][w]] [L=list type[:keys]] [A] [P=strategies[:merge key]] [E=a|b] [D=default] [TAB description]
///
/// where `!` marks required fields. TYPE is a letter (see `SchemaIndex` and `ProtobufSchema`), `[TYPE` for a list,
/// `{TYPE` for a map, or `>DEFINITION`; in definitions, `~` stands for `io.k8s.api.` and `^` for
/// `io.k8s.apimachinery.pkg.apis.meta.v1.`. `A` marks objects that merge as one value (on a line `. A`, the definition
/// itself). NUMBER is the field's in protobuf, with that of an embedded message before it (`2.1`); there `*` says that
/// the field is a pointer in Go, so that zero is a value, and `w` that the list is a message of its own.
struct FieldTableReader: Sequence, IteratorProtocol {
    typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

    enum Line {
        case definition(name: Bytes, description: Bytes)
        case field(Field)
        /// `. A`
        case atomicDefinition
    }

    struct Field {
        let name: Bytes
        let isRequired: Bool
        let type: Bytes
        let attributes: Attributes
        let description: Bytes
    }

    private var rest: Bytes

    init(_ text: StaticString) {
        rest = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)[...]
    }

    mutating func next() -> Line? {
        while !rest.isEmpty {
            var words = Self.cut(&rest, at: UInt8(ascii: "\n"))
            var line = Self.cut(&words, at: UInt8(ascii: "\t"))
            let description = words
            guard let first = line.first else { continue }
            switch first {
            case UInt8(ascii: "="): return .definition(name: line.dropFirst(), description: description)
            case UInt8(ascii: "."): return .atomicDefinition
            default:
                var name = Self.cut(&line, at: UInt8(ascii: " "))
                let isRequired = name.last == UInt8(ascii: "!")
                if isRequired { name.removeLast() }
                let type = Self.cut(&line, at: UInt8(ascii: " "))
                return .field(
                    Field(
                        name: name, isRequired: isRequired, type: type, attributes: Attributes(rest: line),
                        description: description))
            }
        }
        return nil
    }

    /// What comes before a separator, which is all where there is none; `rest` is what comes after it.
    @inline(__always)
    fileprivate static func cut(_ rest: inout Bytes, at separator: UInt8) -> Bytes {
        let end = rest.firstIndex(of: separator) ?? rest.endIndex
        defer { rest = rest[(end == rest.endIndex ? end : end + 1)...] }
        return rest[..<end]
    }

    /// The words behind a field's type.
    struct Attributes: Sequence, IteratorProtocol {
        fileprivate var rest: Bytes

        /// A word's letter, and what follows it but for `=`.
        mutating func next() -> (letter: UInt8, value: Bytes)? {
            guard !rest.isEmpty else { return nil }
            let word = FieldTableReader.cut(&rest, at: UInt8(ascii: " "))
            let value = word.dropFirst()
            return (word[word.startIndex], value.first == UInt8(ascii: "=") ? value.dropFirst() : value)
        }
    }

    static func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

    static let metaPrefix = "io.k8s.apimachinery.pkg.apis.meta.v1."
    static let apiPrefix = "io.k8s.api."

    /// A definition's whole name.
    static func definition(_ bytes: Bytes) -> String {
        switch bytes.first {
        case UInt8(ascii: "~"): apiPrefix + text(bytes.dropFirst())
        case UInt8(ascii: "^"): metaPrefix + text(bytes.dropFirst())
        default: text(bytes)
        }
    }
}
