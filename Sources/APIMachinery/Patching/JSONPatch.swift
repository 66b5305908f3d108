import KubernetesModel

extension Patching {
    /// A JSON patch (RFC 6902): operations in order, all or none.
    ///
    /// - Throws: `Status` 400 for a malformed patch, 422 for one that does not apply.
    public static func jsonPatch(_ patch: JSON, to document: JSON) throws(Status) -> JSON {
        guard case .array(let operations) = patch else {
            throw .badRequest(
                "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        }
        guard operations.count <= 10_000 else {
            throw Status(
                code: 413, reason: "RequestEntityTooLarge",
                message: "The allowed maximum operations in a JSON patch is 10000, got \(operations.count)")
        }
        var result = document
        var growth = Growth(of: document)
        for operation in operations { try apply(operation, to: &result, &growth) }
        return result
    }

    /// What the operations make of a document. Each may copy all that those before it made: without a bound a kilobyte
    /// of them is a document of gigabytes, or one as deep as no stack.
    private struct Growth {
        /// What all copies may come to, in bytes: as for Kubernetes.
        private static let maxCopied = 3 << 20

        private var copied = 0
        /// The document is no deeper.
        private var depth: Int

        init(of document: JSON) { depth = document.depth }

        /// Adds a value of the patch at a pointer.
        mutating func add(_ value: JSON, at target: Pointer) throws(Status) {
            try reach(target.parts.count + value.depth)
        }

        mutating func copy(_ value: JSON, to target: Pointer) throws(Status) {
            copied += value.length(upTo: Self.maxCopied - copied + 1)
            guard copied <= Self.maxCopied else { throw rejected }
            try reach(target.parts.count + value.depth)
        }

        /// A move is a copy only where a look at the value is needed to tell how deep it is.
        mutating func move(_ value: JSON, from source: Pointer, to target: Pointer) throws(Status) {
            let deepest = target.parts.count + depth - source.parts.count
            if deepest <= JSON.deepest { try reach(deepest) } else { try copy(value, to: target) }
        }

        private mutating func reach(_ depth: Int) throws(Status) {
            guard depth <= JSON.deepest else { throw rejected }
            self.depth = max(self.depth, depth)
        }
    }

    /// The one answer to all that does not apply. Clients compare its text to recognise a failed `test`, so it does not
    /// say which operation failed, or why.
    private static let rejected = Status(
        code: 422, reason: "Invalid", message: "the server rejected our request due to an error in our request")

    private static func apply(
        _ operation: JSON, to document: inout JSON, _ growth: inout Growth
    ) throws(Status) {
        guard let path = operation["path"].string else { throw rejected }
        let target = try Pointer(path)
        switch operation["op"].string {
        case "add":
            try growth.add(operation["value"], at: target)
            try add(operation["value"], at: target, of: &document)
        case "remove": try remove(target, of: &document)
        case "replace":
            guard value(target, in: document) != nil else { throw rejected }
            try growth.add(operation["value"], at: target)
            try set(operation["value"], at: target, of: &document)
        case .some(let name) where name == "move" || name == "copy":
            let source = try Pointer(operation["from"].string ?? "")
            guard let found = value(source, in: document) else { throw rejected }
            if name == "move" {
                try growth.move(found, from: source, to: target)
                try remove(source, of: &document)
            } else {
                try growth.copy(found, to: target)
            }
            try add(found, at: target, of: &document)
        case "test":
            guard (value(target, in: document) ?? .null) == operation["value"] else { throw rejected }
        default: throw rejected
        }
    }

    /// A JSON pointer (RFC 6901).
    private struct Pointer {
        let parts: [String]

        init(_ text: String) throws(Status) {
            guard !text.isEmpty else {
                parts = []
                return
            }
            guard text.hasPrefix("/") else { throw rejected }
            parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(Self.unescaped)
        }

        /// `~1` stands for `/`, `~0` for `~`.
        private static func unescaped(_ part: Substring) -> String {
            guard part.contains("~") else { return String(part) }
            var text = ""
            var rest = part[...]
            while let character = rest.popFirst() {
                if character == "~", rest.first == "1" || rest.first == "0" {
                    text.append(rest.removeFirst() == "1" ? "/" : "~")
                } else {
                    text.append(character)
                }
            }
            return text
        }
    }

    private static func index(_ part: String, count: Int) -> Int? {
        guard let index = Int(part), index >= 0, index < count, part == "\(index)" else { return nil }
        return index
    }

    private static func value(_ pointer: Pointer, in document: JSON) -> JSON? {
        var value = document
        for part in pointer.parts {
            switch value {
            case .object(let members):
                guard let member = members[part] else { return nil }
                value = member
            case .array(let elements):
                guard let index = index(part, count: elements.count) else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    /// Changes a pointer's target within its parent, which is an object or an array.
    private static func change(
        _ parts: ArraySlice<String>, of value: inout JSON, member: (inout [String: JSON], String) -> Void,
        element: (inout [JSON], String) throws(Status) -> Void
    ) throws(Status) {
        guard let part = parts.first else { throw rejected }
        let rest = parts.dropFirst()
        // The members and elements are moved out so that they are changed in place. What throws ends the whole patch.
        switch value {
        case .object(var members):
            value = .null
            if rest.isEmpty {
                member(&members, part)
            } else {
                guard let index = members.index(forKey: part) else { throw rejected }
                try change(rest, of: &members.values[index], member: member, element: element)
            }
            value = .object(members)
        case .array(var elements):
            value = .null
            if rest.isEmpty {
                try element(&elements, part)
            } else {
                guard let index = index(part, count: elements.count) else { throw rejected }
                try change(rest, of: &elements[index], member: member, element: element)
            }
            value = .array(elements)
        default: throw rejected
        }
    }

    private static func add(_ new: JSON, at pointer: Pointer, of document: inout JSON) throws(Status) {
        try put(new, at: pointer, of: &document) { elements, part throws(Status) in
            if part == "-" {
                elements.append(new)
            } else if let index = index(part, count: elements.count + 1) {
                elements.insert(new, at: index)
            } else {
                throw rejected
            }
        }
    }

    private static func set(_ new: JSON, at pointer: Pointer, of document: inout JSON) throws(Status) {
        try put(new, at: pointer, of: &document) { elements, part throws(Status) in
            guard let index = index(part, count: elements.count) else { throw rejected }
            elements[index] = new
        }
    }

    /// Puts a value in a member's place, whether it was there or not, or where `element` says in an array.
    private static func put(
        _ new: JSON, at pointer: Pointer, of document: inout JSON,
        element: (inout [JSON], String) throws(Status) -> Void
    ) throws(Status) {
        guard !pointer.parts.isEmpty else {
            document = new
            return
        }
        try change(pointer.parts[...], of: &document, member: { $0[$1] = new }, element: element)
    }

    private static func remove(_ pointer: Pointer, of document: inout JSON) throws(Status) {
        guard value(pointer, in: document) != nil else { throw rejected }
        try change(
            pointer.parts[...], of: &document, member: { $0[$1] = nil },
            element: { (elements: inout [JSON], part: String) throws(Status) in
                guard let index = index(part, count: elements.count) else { throw rejected }
                elements.remove(at: index)
            })
    }
}

extension JSON {
    /// Of a text or a number 1.
    fileprivate var depth: Int {
        switch self {
        case .array(let elements): 1 + (elements.lazy.map(\.depth).max() ?? 0)
        case .object(let members): 1 + (members.values.lazy.map(\.depth).max() ?? 0)
        default: 1
        }
    }

    /// About the length of the value's text; counted no further than `limit`.
    fileprivate func length(upTo limit: Int) -> Int {
        var length = 2
        switch self {
        case .string(let text): length += text.utf8.count
        case .array(let elements):
            for element in elements where length < limit { length += 1 + element.length(upTo: limit - length) }
        case .object(let members):
            for (key, member) in members where length < limit {
                length += key.utf8.count + 4 + member.length(upTo: limit - length)
            }
        case .null, .bool, .integer, .double: length += 2
        }
        return length
    }
}
