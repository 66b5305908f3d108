/// Waits until a condition holds; an error that it throws counts as "not yet".
///
/// The pause between two looks grows from 1 to 25 ms: short waits end soon, long ones leave the machine to what they
/// wait for. The condition must not block its thread: the pool that runs tests has as few threads as the machine cores.
///
/// - Throws: `Timeout`, with what was waited for and where.
public func eventually(
    _ what: String, within limit: Duration = .seconds(60), file: StaticString = #fileID, line: UInt = #line,
    isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
) async throws {
    _ = try await eventually(what, within: limit, file: file, line: line) { try await condition() ? () : nil }
}

/// Waits until a value is there, and returns it; otherwise as the above.
public func eventually<Value>(
    _ what: String, within limit: Duration = .seconds(60), file: StaticString = #fileID, line: UInt = #line,
    isolation: isolated (any Actor)? = #isolation, _ value: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + limit
    var pause = Duration.milliseconds(1)
    while true {
        var last: (any Error)?
        do { if let value = try await value() { return value } } catch { last = error }
        guard ContinuousClock.now < end else {
            let reason = last.map { "; last: \($0)" } ?? ""
            throw Timeout(description: "\(file):\(line): not within \(limit): \(what)\(reason)")
        }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(25))
    }
}

public struct Timeout: Error, CustomStringConvertible {
    public let description: String
}
