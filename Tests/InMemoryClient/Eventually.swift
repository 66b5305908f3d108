/// Waits until a condition holds.
///
/// - Throws: `Timeout`, with what was waited for, where it does not come to hold.
public func eventually(
    _ what: String, within limit: Duration = .seconds(10), _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw Timeout(description: "waited \(limit) for: \(what)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}

public struct Timeout: Error, CustomStringConvertible {
    public let description: String
}
