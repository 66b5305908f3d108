import Testing

@testable import KubernetesModel

@Suite struct QuantityTests {
    @Test(arguments: [
        ("1", "1"), ("0.5", "500m"), ("1000m", "1"), ("1.5Gi", "1536Mi"), ("1024Mi", "1Gi"), ("1000Ki", "1000Ki"),
        ("512Ki", "512Ki"), ("100", "100"), ("1e3", "1e3"), ("12e-1", "1200e-3"), ("1E", "1E"), ("0", "0"),
        ("-5m", "-5m"),
        // What is finer than a billionth is rounded up.
        ("0.0000000001", "1n"),
        // Below 1024, and with a fraction, binary suffixes give way to decimal ones.
        ("0.5Ki", "512"), ("0.1Mi", "104857600m"),
    ])
    func takesCanonicalForm(text: String, canonical: String) {
        #expect(Quantity(text)?.description == canonical)
    }

    @Test(arguments: [
        "", "abc", "1.2.3", "1x", "1 Gi", "1kk", "+", ".", "1e", "Mi", "1e\(Int.min)", "1e\(Int.max)", "1E-1001",
    ])
    func refuses(text: String) {
        #expect(Quantity(text) == nil)
    }

    @Test(arguments: [
        ("100m", 1, 100), ("1500m", 2, 1500), ("64Mi", 67_108_864, 67_108_864_000), ("-1500m", -1, -1500),
    ])
    func roundsUp(text: String, value: Int, milli: Int) throws {
        let quantity = try #require(Quantity(text))
        #expect(quantity.value == value)
        #expect(quantity.milliValue == milli)
    }

    @Test(arguments: [("1500m", "1", 2), ("1Gi", "1Mi", 1024), ("3", "2", 2), ("9E", "1n", Int.max)])
    func isDivided(text: String, by divisor: String, quotient: Int) throws {
        #expect(try #require(Quantity(text)).quotient(roundedUpBy: try #require(Quantity(divisor))) == quotient)
    }

    @Test func addsAndCompares() throws {
        let (half, gibi) = (try #require(Quantity("500m")), try #require(Quantity("1Gi")))
        #expect((half + half).description == "1")
        #expect((gibi - gibi).isZero)
        #expect(half < gibi)
        #expect(Quantity("1") == Quantity("1000m"))
    }
}
