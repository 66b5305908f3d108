import KubernetesModel

extension FuzzTarget {
    /// A quantity's canonical text is the same amount, and is canonical.
    static let quantities = FuzzTarget("quantities", maxLength: 64) { input in
        guard let quantity = Quantity(input.text) else { return }
        let text = quantity.description
        guard let again = Quantity(text) else { throw Violation(description: "\(text) is no quantity") }
        try require(again == quantity, "\(text) is \(again)")
        try require(again.description == text, "\(text) is written \(again)")
        let (whole, milli) = (quantity.value, quantity.milliValue)
        let isExact = milli > .min && milli < .max
        try require(!isExact || (whole * 1000 >= milli && (whole - 1) * 1000 < milli), "\(text) is \(whole), \(milli)m")
        try require(quantity - quantity == .zero && !(quantity < quantity), "\(text) is not itself")
        _ = (quantity + quantity, -quantity, quantity.double)
        if !quantity.isZero { _ = Quantity(3).quotient(roundedUpBy: quantity) }
    }
}
