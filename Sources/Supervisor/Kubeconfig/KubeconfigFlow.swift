import KubernetesModel

/// A kubeconfig in YAML's flow style as ranges of bytes: the whole document is one mapping, as in JSON, or the value of
/// the key is a list of this style in a document of block style.
struct KubeconfigFlow: KubeconfigEditor {
    private let key: String
    private var bytes: [UInt8]
    private let document: FlowCollection?
    /// The key's value, where it has one.
    private let value: Range<Int>?

    /// - Returns: nil where neither the document nor the value of `key` is in flow style or understood.
    init?(_ text: String, key: String) {
        self.key = key
        let bytes = Array(text.utf8)
        self.bytes = bytes
        var start = FlowCollection.content(of: bytes, from: 0)
        if bytes[start...].starts(with: "---".utf8) { start = FlowCollection.content(of: bytes, from: start + 3) }
        if bytes[start...].first == UInt8(ascii: "{") {
            guard let document = FlowCollection(bytes, at: start) else { return nil }
            self.document = document
            value = document.items.first { Self.key(of: $0, in: bytes) == key }?.value
        } else {
            // In a document of block style an empty list becomes one of that style.
            guard let start = Self.value(of: key, in: bytes), bytes[start...].first == UInt8(ascii: "["),
                let list = FlowCollection(bytes, at: start), list.range.count > 2
            else { return nil }
            document = nil
            value = list.range
        }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    mutating func set(_ entry: JSON, at index: Int?, of count: Int) throws(KubeconfigText.Refusal) {
        let list = JSON.array([entry]).encoded(sorted: true)
        guard let value else { return try addMember(list) }
        // Null is an empty list, too.
        guard count > 0 || bytes[value].first == UInt8(ascii: "[") else {
            return bytes.replaceSubrange(value, with: list)
        }
        let existing = try self.list(of: count)
        let entry = entry.encoded(sorted: true)
        if let index {
            bytes.replaceSubrange(existing.items[index].range, with: entry)
        } else {
            append(entry, to: existing)
        }
    }

    mutating func remove(at index: Int, of count: Int) throws(KubeconfigText.Refusal) {
        let items = try list(of: count).items
        // From the end to the front, so that the ranges before are still right.
        if let comma = items[index].comma { bytes.remove(at: comma) }
        let range = items[index].range
        var start = range.lowerBound
        while start > 0, " \t".utf8.contains(bytes[start - 1]) { start -= 1 }
        let rest = bytes[range.upperBound...].drop { " \t\r".utf8.contains($0) }
        let isWholeLine = start > 0 && bytes[start - 1] == UInt8(ascii: "\n") && rest.first == UInt8(ascii: "\n")
        bytes.removeSubrange(start..<(isWholeLine ? rest.startIndex + 1 : range.upperBound))
        if items[index].comma == nil, index > 0, let comma = items[index - 1].comma { bytes.remove(at: comma) }
    }

    mutating func set(_ value: String) throws(KubeconfigText.Refusal) {
        let text = JSON.string(value).encoded()
        if document != nil, let place = self.value {
            bytes.replaceSubrange(place, with: text)
        } else {
            try addMember(text)
        }
    }

    private func list(of count: Int) throws(KubeconfigText.Refusal) -> FlowCollection {
        guard let value, bytes[value].first == UInt8(ascii: "["),
            let list = FlowCollection(bytes, at: value.lowerBound), list.items.count == count
        else { throw .unknownShape }
        return list
    }

    private mutating func addMember(_ value: [UInt8]) throws(KubeconfigText.Refusal) {
        guard let document else { throw .unknownShape }
        append(JSON.string(key).encoded() + Array(": ".utf8) + value, to: document)
    }

    /// Adds an item: on a line of its own where the closing bracket has one, else behind the last item.
    private mutating func append(_ item: [UInt8], to collection: FlowCollection) {
        guard let last = collection.items.last else {
            return bytes.insert(contentsOf: item, at: collection.range.lowerBound + 1)
        }
        let start = last.comma.map { $0 + 1 } ?? last.range.upperBound
        // Where the last item has a comma, so has the new one, by which the text is the old one when it is removed.
        let ended = item + Array(last.comma == nil ? "".utf8 : ",".utf8)
        if let lineBreak = bytes[start..<collection.range.upperBound].lastIndex(of: UInt8(ascii: "\n")) {
            let line = indentation(at: last.range.lowerBound) + ended + [UInt8(ascii: "\n")]
            bytes.insert(contentsOf: line, at: lineBreak + 1)
        } else {
            bytes.insert(contentsOf: [UInt8(ascii: " ")] + ended, at: start)
        }
        if last.comma == nil { bytes.insert(UInt8(ascii: ","), at: last.range.upperBound) }
    }

    /// The white space at the beginning of a line; some in any case, as an item of a list has in block style.
    private func indentation(at position: Int) -> [UInt8] {
        let start = bytes[..<position].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let indentation = bytes[start...].prefix { " \t".utf8.contains($0) }
        return indentation.isEmpty ? Array("  ".utf8) : Array(indentation)
    }

    private static func key(of item: FlowCollection.Item, in bytes: [UInt8]) -> String? {
        item.key.map { String(decoding: bytes[$0], as: UTF8.self).filter { $0 != "\"" && $0 != "'" } }
    }

    /// Where the value of a top-level key begins in a document of block style.
    private static func value(of key: String, in bytes: [UInt8]) -> Int? {
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        guard let line = lines.first(where: { KubeconfigLines.key(of: String(decoding: $0, as: UTF8.self)) == key }),
            let colon = line.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return FlowCollection.content(of: bytes, from: colon + 1)
    }
}
