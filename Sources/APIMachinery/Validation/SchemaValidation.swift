import KubernetesModel

extension Validation {
    /// A custom resource, by its definition's schema. The types of its values were checked when it was decoded.
    package mutating func schema(_ value: JSON, _ schema: Schema, _ path: String = "") {
        if path == "metadata" { return }
        if value.isNull { return }
        if !schema.enumeration.isEmpty, !schema.enumeration.contains(value) {
            let supported = schema.enumeration.map { $0.string ?? $0.description }
            add(.notSupported(path, value: value, supported: supported))
        }
        if let limits = schema.constraints { check(value, limits, path) }
        switch value {
        case .object(let members):
            for name in schema.required.sorted() where members[name] == nil {
                required(path.isEmpty ? name : "\(path).\(name)")
            }
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                guard let field = schema.member(name) else { continue }
                self.schema(member, field, path.isEmpty ? name : "\(path).\(name)")
            }
        case .array(let elements):
            listKeys(elements, schema, path)
            guard let items = schema.items else { return }
            for (index, element) in elements.enumerated() { self.schema(element, items, "\(path)[\(index)]") }
        default: break
        }
    }

    private mutating func listKeys(_ elements: [JSON], _ schema: Schema, _ path: String) {
        var seen: Set<[JSON]> = []
        for (index, element) in elements.enumerated() {
            let key: [JSON]
            switch schema.listType {
            case .set: key = [element]
            case .map(let keys): key = keys.map { element[$0] }
            default: return
            }
            if !seen.insert(key).inserted {
                let names = schema.listMapKeys ?? []
                let shown: JSON =
                    names.isEmpty ? element : .object(Dictionary(zip(names, key), uniquingKeysWith: { $1 }))
                duplicate("\(path)[\(index)]", shown)
            }
        }
    }

    private mutating func check(_ value: JSON, _ limits: Schema.Constraints, _ path: String) {
        func inBody(_ words: String) -> String { "\(path) in body \(words)" }
        if let number = value.double {
            if let least = limits.minimum, limits.exclusiveMinimum ? number <= least : number < least {
                let words = limits.exclusiveMinimum ? "greater than" : "greater than or equal to"
                invalid(path, value, inBody("should be \(words) \(JSON.double(least))"))
            }
            if let most = limits.maximum, limits.exclusiveMaximum ? number >= most : number > most {
                let words = limits.exclusiveMaximum ? "less than" : "less than or equal to"
                invalid(path, value, inBody("should be \(words) \(JSON.double(most))"))
            }
            if let step = limits.multipleOf, step != 0, (number / step).rounded() != number / step {
                invalid(path, value, inBody("should be a multiple of \(JSON.double(step))"))
            }
        }
        if let text = value.string {
            let length = text.unicodeScalars.count
            if let least = limits.minLength, length < least {
                invalid(path, value, inBody("should be at least \(least) chars long"))
            }
            if let most = limits.maxLength, length > most {
                add(FieldError(.tooLong, path, detail: "may not be more than \(most) bytes"))
            }
            if let pattern = limits.pattern {
                switch limits.matcher?.match(text) {
                case nil, .matches: break
                case .differs: invalid(path, value, inBody("should match '\(pattern)'"))
                case .tooCostly: add(FieldError(.tooLong, path, detail: "it cannot be matched with '\(pattern)'"))
                }
            }
        }
        if let elements = value.array {
            if let least = limits.minItems, elements.count < least {
                invalid(path, JSON(elements.count), inBody("should have at least \(least) items"))
            }
            if let most = limits.maxItems, elements.count > most {
                add(FieldError(.tooMany, path, value: JSON(elements.count), detail: "must have at most \(most) items"))
            }
            if limits.uniqueItems, Set(elements).count != elements.count {
                invalid(path, value, inBody("shouldn't contain duplicates"))
            }
        }
        if let members = value.object {
            if let least = limits.minProperties, members.count < least {
                invalid(path, JSON(members.count), inBody("should have at least \(least) properties"))
            }
            if let most = limits.maxProperties, members.count > most {
                add(FieldError(.tooMany, path, value: JSON(members.count), detail: "must have at most \(most) items"))
            }
        }
        combinations(value, limits, path)
    }

    private mutating func combinations(_ value: JSON, _ limits: Schema.Constraints, _ path: String) {
        func fits(_ schema: Schema) -> Bool {
            var inner = Validation()
            inner.schema(value, schema, path)
            return inner.errors.isEmpty && Self.hasType(value, schema)
        }
        let subject = path.isEmpty ? "<nil>" : path
        for schema in limits.allOf { self.schema(value, schema, path) }
        if !limits.anyOf.isEmpty, !limits.anyOf.contains(where: fits) {
            invalid(subject, value, "\"\(path)\" must validate at least one schema (anyOf)")
        }
        if !limits.oneOf.isEmpty {
            let count = limits.oneOf.filter(fits).count
            if count != 1 {
                let found = count == 0 ? "Found none valid" : "Found \(count) valid alternatives"
                invalid(subject, value, "\"\(path)\" must validate one and only one schema (oneOf). \(found)")
            }
        }
        if let not = limits.not, fits(not) {
            invalid(subject, value, "\"\(path)\" must not validate the schema (not)")
        }
    }

    private static func hasType(_ value: JSON, _ schema: Schema) -> Bool {
        switch (schema.type, value) {
        case (.any, _), (.object, .object), (.array, .array), (.string, .string), (.boolean, .bool),
            (.integer, .integer),
            (.number, .integer), (.number, .double):
            true
        default: false
        }
    }
}
