import KubernetesModel

extension JSON {
    /// Sets an absent or empty member.
    @inlinable package mutating func fill(_ name: String, _ value: JSON) {
        switch self[name] {
        case .null, .string(""): self[name] = value
        default: break
        }
    }

    /// Sets an absent member or one that is 0: Go's zero of a field that is no pointer.
    @inlinable package mutating func fill(zero name: String, _ value: JSON) {
        switch self[name] {
        case .null, .integer(0): self[name] = value
        default: break
        }
    }

    /// Changes a member that is there.
    @inlinable package mutating func change(_ name: String, _ body: (inout JSON) -> Void) {
        guard !self[name].isNull else { return }
        body(&self[name])
    }

    /// Changes each element of an array member.
    @inlinable package mutating func changeEach(_ name: String, _ body: (inout JSON) -> Void) {
        guard case .array(var elements) = self[name] else { return }
        for index in elements.indices { body(&elements[index]) }
        self[name] = .array(elements)
    }
}
