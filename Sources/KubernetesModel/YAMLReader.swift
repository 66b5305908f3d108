internal import CYaml

/// Why a text is no YAML that can be read, and where.
public struct YAMLDecodingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// From 1.
    public let line: Int
    public let problem: String

    public var description: String { "yaml: line \(line): \(problem)" }
}

/// Reads the one document of a YAML text, by the events of libyaml.
///
/// An alias stands for all that its anchor names, and that may have aliases too, so that a kilobyte can stand for
/// gigabytes. What aliases add is therefore counted before anybody walks over it, and bounded; so is the depth.
struct YAMLReader: ~Copyable {
    /// As deep as JSON may be.
    static let deepest = JSON.deepest
    /// What all aliases of a document may add, in bytes.
    static let maxAliased = 4 * 1024 * 1024
    /// What a value counts besides the bytes of its text.
    private static let valueSize = 16

    private struct Measured {
        let json: JSON
        let size: Int
    }

    private enum Event {
        case end
        case document
        case alias(String)
        case scalar(JSON, text: String, anchor: String?)
        case sequence(anchor: String?)
        case mapping(anchor: String?)
        case close
    }

    // libyaml keeps pointers into it.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private var anchors: [String: Measured] = [:]
    private var aliased = 0
    /// Of the event that was read last, from 0.
    private var line = 0

    private init(_ text: UnsafeBufferPointer<UInt8>) {
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        yaml_parser_initialize(parser)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// - Returns: null for a text without a document.
    static func read(_ text: String) throws(YAMLDecodingError) -> JSON {
        var text = text
        let result = text.withUTF8 { bytes in
            Result { () throws(YAMLDecodingError) in
                var reader = YAMLReader(bytes)
                return try reader.document()
            }
        }
        return try result.get()
    }

    private mutating func document() throws(YAMLDecodingError) -> JSON {
        guard case .document = try next() else { return .null }
        let root = try value(try next(), depth: 0)
        _ = try next()
        guard case .end = try next() else { throw failure("expected a single document in the stream") }
        return root.json
    }

    private mutating func value(_ event: Event, depth: Int) throws(YAMLDecodingError) -> Measured {
        guard depth < Self.deepest else { throw failure("nesting deeper than \(Self.deepest)") }
        switch event {
        case .alias(let name):
            guard let known = anchors[name] else { throw failure("unknown anchor '\(name)' referenced") }
            aliased += known.size
            guard aliased <= Self.maxAliased else {
                throw failure(
                    "document contains excessive aliasing: its aliases stand for more than \(Self.maxAliased) bytes; "
                        + "write out what they name, or send it as JSON")
            }
            return known
        case .scalar(let json, let text, let anchor):
            return named(anchor, Measured(json: json, size: Self.valueSize + text.utf8.count))
        case .sequence(let anchor):
            var elements: [JSON] = []
            var size = Self.valueSize
            while let event = try nextInside() {
                let element = try value(event, depth: depth + 1)
                elements.append(element.json)
                size += element.size
            }
            return named(anchor, Measured(json: .array(elements), size: size))
        case .mapping(let anchor):
            var members: [String: JSON] = [:]
            var size = Self.valueSize
            while let event = try nextInside() {
                let key = try key(event)
                let member = try value(try next(), depth: depth + 1)
                guard members.updateValue(member.json, forKey: key) == nil else {
                    throw failure("key \"\(key)\" already set in map")
                }
                size += key.utf8.count + member.size
            }
            return named(anchor, Measured(json: .object(members), size: size))
        case .end, .document, .close: throw failure("did not find expected node content")
        }
    }

    /// A key is a text, as members of JSON objects have it, also by an alias.
    private mutating func key(_ event: Event) throws(YAMLDecodingError) -> String {
        switch event {
        case .scalar(let json, let text, let anchor):
            _ = named(anchor, Measured(json: json, size: Self.valueSize + text.utf8.count))
            return text
        case .alias(let name):
            if case .string(let text) = anchors[name]?.json { return text }
        case .end, .document, .sequence, .mapping, .close: break
        }
        throw failure("invalid map key: only texts can be keys")
    }

    private mutating func named(_ anchor: String?, _ value: Measured) -> Measured {
        if let anchor { anchors[anchor] = value }
        return value
    }

    /// The next event of a collection; nil at its end.
    private mutating func nextInside() throws(YAMLDecodingError) -> Event? {
        let event = try next()
        if case .close = event { return nil }
        return event
    }

    private mutating func next() throws(YAMLDecodingError) -> Event {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else {
                line = Int(parser.pointee.problem_mark.line)
                throw failure(parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read")
            }
            defer { yaml_event_delete(&event) }
            line = Int(event.start_mark.line)
            switch event.type {
            case YAML_STREAM_START_EVENT: continue
            case YAML_DOCUMENT_START_EVENT: return .document
            case YAML_ALIAS_EVENT: return .alias(Self.text(event.data.alias.anchor) ?? "")
            case YAML_SCALAR_EVENT: return Self.scalar(event)
            case YAML_SEQUENCE_START_EVENT: return .sequence(anchor: Self.text(event.data.sequence_start.anchor))
            case YAML_MAPPING_START_EVENT: return .mapping(anchor: Self.text(event.data.mapping_start.anchor))
            case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT, YAML_DOCUMENT_END_EVENT: return .close
            default: return .end
            }
        }
    }

    private static func scalar(_ event: yaml_event_t) -> Event {
        let scalar = event.data.scalar
        let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
        // Only plain scalars without a tag that says so are anything but text.
        let isText = scalar.style != YAML_PLAIN_SCALAR_STYLE || Self.text(scalar.tag)?.hasSuffix(":str") ?? false
        return .scalar(isText ? .string(text) : JSON(plainYAML: text), text: text, anchor: Self.text(scalar.anchor))
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private func failure(_ problem: String) -> YAMLDecodingError {
        YAMLDecodingError(line: line + 1, problem: problem)
    }
}
