import KubernetesModel

extension Patching {
    /// A strategic merge patch: as a JSON merge patch, but lists merge by the keys that their schemas name, and the
    /// patch may carry directives (`$patch`, `$retainKeys`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…`).
    ///
    /// - Throws: `Status` 400 for a patch with a directive that makes no sense or without a list's merge key.
    public static func strategicMerge(_ patch: JSON, into document: JSON, schema: Schema) throws(Status) -> JSON {
        guard case .object(let changes) = patch else {
            throw .badRequest(
                "error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}")
        }
        return .object(try mergeMap(changes, into: document.object ?? [:], schema))
    }

    private static let setElementOrder = "$setElementOrder/"
    private static let deleteFromPrimitiveList = "$deleteFromPrimitiveList/"

    private static func mergeMap(
        _ patch: [String: JSON], into original: [String: JSON], _ schema: Schema?
    ) throws(Status) -> [String: JSON] {
        var patch = patch
        var original = original
        if let directive = patch.removeValue(forKey: "$patch") {
            switch directive.string {
            case "replace": return try mergeMap(patch, into: [:], schema)
            case "delete": return [:]
            case "merge": break
            default: throw .badRequest("Unknown patch type found: \(directive.string ?? directive.description)")
            }
        }
        if let kept = patch.removeValue(forKey: "$retainKeys") {
            let names = Set(kept.strings)
            if let stray = patch.keys.sorted().first(where: {
                !$0.hasPrefix("$") && patch[$0] != .null && !names.contains($0)
            }) {
                throw .badRequest("patch contains \(stray), which is not in the $retainKeys list")
            }
            original = original.filter { names.contains($0.key) }
        }
        var orders: [String: [JSON]] = [:]
        for (name, value) in patch where name.hasPrefix("$") {
            patch[name] = nil
            if name.hasPrefix(setElementOrder) {
                orders[String(name.dropFirst(setElementOrder.count))] = value.items
            } else if name.hasPrefix(deleteFromPrimitiveList) {
                let field = String(name.dropFirst(deleteFromPrimitiveList.count))
                guard let elements = original[field]?.array else { continue }
                let gone = Set(value.items)
                original[field] = .array(elements.filter { !gone.contains($0) })
            } else {
                throw .badRequest("invalid directive \(name) in a strategic merge patch")
            }
        }
        for (name, change) in patch {
            let field = schema?.member(name)
            switch change {
            case .null: original[name] = nil
            case .object(let changes):
                let replaces = field?.patchStrategy.contains("replace") ?? false
                let existing = replaces ? [:] : original[name]?.object ?? [:]
                original[name] = .object(try mergeMap(changes, into: existing, field))
            case .array(let elements):
                guard let field, field.patchStrategy.contains("merge") else {
                    original[name] = .array(
                        try elements.map { element throws(Status) in try adopted(element, field?.items) })
                    continue
                }
                original[name] = .array(
                    try mergeList(elements, into: original[name]?.array ?? [], field, order: orders[name]))
                orders[name] = nil
            default: original[name] = change
            }
        }
        // An order may also come for lists that the patch does not change otherwise.
        for (name, order) in orders {
            guard let elements = original[name]?.array, let field = schema?.member(name) else { continue }
            original[name] = .array(
                ordered(elements, patched: order, before: elements, identity: identity(field)))
        }
        return original
    }

    /// A new value without its directives.
    private static func adopted(_ value: JSON, _ schema: Schema?) throws(Status) -> JSON {
        guard case .object(let members) = value else { return value }
        return .object(try mergeMap(members, into: [:], schema))
    }

    /// What tells a list's elements apart: their merge key's value, or all of them.
    private static func identity(_ field: Schema) -> (JSON) -> JSON {
        guard let key = field.patchMergeKey else { return { $0 } }
        return { $0[key] }
    }

    private static func mergeList(
        _ patch: [JSON], into original: [JSON], _ field: Schema, order: [JSON]?
    ) throws(Status) -> [JSON] {
        let identity = identity(field)
        guard let key = field.patchMergeKey else {
            var merged = original
            for element in patch where !merged.contains(element) { merged.append(element) }
            return ordered(merged, patched: order ?? patch, before: original, identity: identity)
        }
        var merged = original
        var plain: [JSON] = []
        var replaces = false
        for element in patch {
            guard case .object(var members) = element else {
                throw .badRequest("expected a map, but received a \(element) in a list that merges by \(key)")
            }
            switch members.removeValue(forKey: "$patch")?.string {
            case nil, "merge": plain.append(.object(members))
            case "replace":
                // It replaces the whole list; alone, it empties it.
                replaces = true
                if !members.isEmpty { plain.append(.object(members)) }
            case "delete":
                guard let value = members[key] else { throw withoutKey(element, key) }
                merged.removeAll { $0[key] == value }
            case let other?: throw .badRequest("Unknown patch type found: \(other)")
            }
        }
        if replaces { return try plain.map { element throws(Status) in try adopted(element, field.items) } }
        for element in plain {
            guard case .object(let members) = element, let value = members[key] else { throw withoutKey(element, key) }
            if let index = merged.firstIndex(where: { $0[key] == value }) {
                merged[index] = .object(try mergeMap(members, into: merged[index].object ?? [:], field.items))
            } else {
                merged.append(.object(try mergeMap(members, into: [:], field.items)))
            }
        }
        return ordered(merged, patched: order ?? plain, before: original, identity: identity)
    }

    private static func withoutKey(_ element: JSON, _ key: String) -> Status {
        .badRequest("map: \(element) does not contain declared merge key: \(key)")
    }

    /// The order of a merged list: patched elements as the patch has them, others as they were, and where only one of
    /// two was there before, the patched one first.
    private static func ordered(
        _ merged: [JSON], patched: [JSON], before: [JSON], identity: (JSON) -> JSON
    ) -> [JSON] {
        func positions(_ list: [JSON]) -> [JSON: Int] {
            Dictionary(
                list.enumerated().map { (identity($0.element), $0.offset) }, uniquingKeysWith: { first, _ in first })
        }
        let wanted = positions(patched)
        let previous = positions(before)
        var left: [JSON] = []
        var right: [(Int, JSON)] = []
        for element in merged {
            if let position = wanted[identity(element)] {
                right.append((position, element))
            } else {
                left.append(element)
            }
        }
        right.sort { $0.0 < $1.0 }
        var result: [JSON] = []
        var leftIndex = 0
        var rightIndex = 0
        while leftIndex < left.count || rightIndex < right.count {
            let takesLeft: Bool
            if leftIndex >= left.count {
                takesLeft = false
            } else if rightIndex >= right.count {
                takesLeft = true
            } else if let one = previous[identity(left[leftIndex])], let two = previous[identity(right[rightIndex].1)] {
                takesLeft = one < two
            } else {
                takesLeft = false
            }
            if takesLeft {
                result.append(left[leftIndex])
                leftIndex += 1
            } else {
                result.append(right[rightIndex].1)
                rightIndex += 1
            }
        }
        return result
    }
}
