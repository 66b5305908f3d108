import Testing

@testable import KubernetesModel

@Suite struct TimestampTests {
    @Test(
        arguments: [
            ("2026-01-01T00:00:00.900000000Z", 0.2, "2026-01-01T00:00:01.100000000Z"),
            ("2026-01-01T00:00:00.100000000Z", -0.2, "2025-12-31T23:59:59.900000000Z"),
            ("2026-01-01T00:00:00.000000000Z", 86_400, "2026-01-02T00:00:00.000000000Z"),
            ("2026-01-01T00:00:00.000000000Z", -1, "2025-12-31T23:59:59.000000000Z"),
            // More than 292 years, which nanoseconds of 64 bits cannot count.
            ("2026-01-01T00:00:00.000000000Z", 10_000_000_000, "2342-11-21T17:46:40.000000000Z"),
            ("2026-01-01T00:00:00.000000000Z", 1e12, "9999-12-31T23:59:59.999999999Z"),
            ("2026-01-01T00:00:00.000000000Z", Double(Int.max), "9999-12-31T23:59:59.999999999Z"),
            ("2026-01-01T00:00:00.000000000Z", -Double(Int.max), "0000-01-01T00:00:00.000000000Z"),
        ])
    func aMomentIsMoved(_ row: (from: String, by: Double, to: String)) {
        #expect(Timestamp(row.from)?.advanced(by: row.by).nano == row.to)
    }
}
