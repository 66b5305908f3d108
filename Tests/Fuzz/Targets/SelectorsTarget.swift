import KubernetesModel

extension FuzzTarget {
    /// A letter for the kind of selector, then its text. A selector's own text selects the same.
    static let selectors = FuzzTarget("selectors", maxLength: 512) { input in
        let text = Array(input.dropFirst()).text
        switch input.first {
        case UInt8(ascii: "l"):
            guard let selector = try? LabelSelector(parsing: text) else { return }
            _ = selector.matches(["a": "1", "app": "web"])
            try require(try LabelSelector(parsing: selector.description) == selector, "\(selector) selects otherwise")
        case UInt8(ascii: "f"):
            guard let selector = try? FieldSelector(parsing: text) else { return }
            _ = selector.matches(Object(.pods, namespace: "default", name: "web"))
            try require(try FieldSelector(parsing: selector.description) == selector, "\(selector) selects otherwise")
        case UInt8(ascii: "j"):
            guard let json = try? JSON(decoding: text) else { return }
            _ = LabelSelector(json).matches(["a": "1", "app": "web"])
        default: break
        }
    }
}
