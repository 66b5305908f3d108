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
        for operation in operations { try apply(operation, to: &result) }
        return result
    }

    private static func rejected(_ why: String) -> Status {
        Status(
            code: 422, reason: "Invalid",
            message: "the server rejected our request due to an error in our request: \(why)")
    }

    private static func apply(_ operation: JSON, to document: inout JSON) throws(Status) {
        let name = operation["op"].string ?? ""
        guard let path = operation["path"].string else {
            throw rejected("\(name) operation does not apply: missing path")
        }
        let target = try Pointer(path)
        switch name {
        case "add": try add(operation["value"], at: target, of: &document, "add")
        case "remove": try remove(target, of: &document, "remove")
        case "replace":
            guard value(target, in: document) != nil else {
                throw rejected("replace operation does not apply: doc is missing key: \(path): missing value")
            }
            try set(operation["value"], at: target, of: &document, "replace")
        case "move", "copy":
            let source = try Pointer(operation["from"].string ?? "")
            guard let found = value(source, in: document) else {
                throw rejected(
                    "error in \(name) for path: '\(source.text)': \(name) operation does not apply: doc is missing from "
                        + "path: \"\(source.text)\": missing value")
            }
            if name == "move" { try remove(source, of: &document, "move") }
            try add(found, at: target, of: &document, name)
        case "test":
            guard (value(target, in: document) ?? .null) == operation["value"] else {
                throw rejected("testing value \(path) failed: test failed")
            }
        default: throw rejected("Unexpected kind: \(name)")
        }
    }

    /// A JSON pointer (RFC 6901).
    private struct Pointer {
        let text: String
        let parts: [String]

        init(_ text: String) throws(Status) {
            self.text = text
            guard !text.isEmpty else {
                parts = []
                return
            }
            guard text.hasPrefix("/") else { throw rejected("path \"\(text)\" does not begin with '/'") }
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
        _ pointer: Pointer, of document: inout JSON, _ operation: String,
        member: (inout [String: JSON], String) -> Void,
        element: (inout [JSON], String) throws(Status) -> Void
    ) throws(Status) {
        try change(
            pointer.parts[...], of: &document, member: member, element: element, missing: missing(operation, pointer))
    }

    private static func change(
        _ parts: ArraySlice<String>, of value: inout JSON, member: (inout [String: JSON], String) -> Void,
        element: (inout [JSON], String) throws(Status) -> Void, missing: Status
    ) throws(Status) {
        guard let part = parts.first else { throw missing }
        let rest = parts.dropFirst()
        switch value {
        case .object(var members):
            if rest.isEmpty {
                member(&members, part)
            } else {
                guard var child = members[part] else { throw missing }
                try change(rest, of: &child, member: member, element: element, missing: missing)
                members[part] = child
            }
            value = .object(members)
        case .array(var elements):
            if rest.isEmpty {
                try element(&elements, part)
            } else {
                guard let index = index(part, count: elements.count) else { throw missing }
                try change(rest, of: &elements[index], member: member, element: element, missing: missing)
            }
            value = .array(elements)
        default: throw missing
        }
    }

    private static func missing(_ operation: String, _ pointer: Pointer) -> Status {
        rejected("\(operation) operation does not apply: doc is missing path: \"\(pointer.text)\": missing value")
    }

    private static func add(
        _ new: JSON, at pointer: Pointer, of document: inout JSON, _ operation: String
    ) throws(Status) {
        guard !pointer.parts.isEmpty else {
            document = new
            return
        }
        try change(
            pointer, of: &document, operation, member: { $0[$1] = new },
            element: { (elements: inout [JSON], part: String) throws(Status) in
                if part == "-" {
                    elements.append(new)
                } else if let index = index(part, count: elements.count + 1) {
                    elements.insert(new, at: index)
                } else {
                    throw rejected(
                        "\(operation) operation does not apply: doc is missing path: \"\(pointer.text)\": Unable to "
                            + "access invalid index: \(part): invalid index referenced")
                }
            })
    }

    private static func set(
        _ new: JSON, at pointer: Pointer, of document: inout JSON, _ operation: String
    ) throws(Status) {
        guard !pointer.parts.isEmpty else {
            document = new
            return
        }
        try change(
            pointer, of: &document, operation, member: { $0[$1] = new },
            element: { (elements: inout [JSON], part: String) throws(Status) in
                guard let index = index(part, count: elements.count) else { throw missing(operation, pointer) }
                elements[index] = new
            })
    }

    private static func remove(_ pointer: Pointer, of document: inout JSON, _ operation: String) throws(Status) {
        guard value(pointer, in: document) != nil else { throw missing(operation, pointer) }
        try change(
            pointer, of: &document, operation, member: { $0[$1] = nil },
            element: { (elements: inout [JSON], part: String) throws(Status) in
                guard let index = index(part, count: elements.count) else { throw missing(operation, pointer) }
                elements.remove(at: index)
            })
    }
}
