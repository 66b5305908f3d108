/// What the objects of a kind can be selected by besides their name and namespace.
package struct SelectableFields: Sendable, ExpressibleByArrayLiteral {
    let names: Set<String>
    /// The names of those that are stored under another one (`Kind.storedAs`).
    let storedNames: [String: String]
    /// What is said of any other field.
    let refusal: @Sendable (String) -> String

    init(
        _ names: Set<String>, storedNames: [String: String] = [:], refusal: @escaping @Sendable (String) -> String
    ) {
        self.names = names
        self.storedNames = storedNames
        self.refusal = refusal
    }

    package init(_ names: [String]) {
        self.init(Set(names)) { field in
            names.isEmpty
                ? "\"\(field)\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                : "field label not supported: \(field)"
        }
    }

    /// Fields of a kind whose objects are stored as another version's, by that one's names.
    init(storedNames: [String: String]) {
        self.init(Set(storedNames.keys), storedNames: storedNames) { "field label not supported: \($0)" }
    }

    package init(arrayLiteral names: String...) { self.init(names) }
}
