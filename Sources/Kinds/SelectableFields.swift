/// What the objects of a kind can be selected by besides their name and namespace.
package struct SelectableFields: Sendable, ExpressibleByArrayLiteral {
    let names: Set<String>
    /// What is said of any other field.
    let refusal: @Sendable (String) -> String

    init(_ names: Set<String>, refusal: @escaping @Sendable (String) -> String) {
        self.names = names
        self.refusal = refusal
    }

    package init(_ names: [String]) {
        self.init(Set(names)) { field in
            names.isEmpty
                ? "\"\(field)\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                : "field label not supported: \(field)"
        }
    }

    package init(arrayLiteral names: String...) { self.init(names) }
}
