import Foundation
import Testing

/// Requests without pause from two clients, none of which may fail.
struct Load {
    let url: String
    let shell: Shell

    func during(_ body: () async throws -> Void) async throws {
        let marker = FileManager.default.temporaryDirectory.appending(path: "mt-load-\(UUID().uuidString)").path()
        try "".write(toFile: marker, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: marker) }
        // A new connection each time, as from ever new clients.
        let line = """
            sent=0; failed=0
            while [ -e \(marker) ]; do
                sent=$((sent + 1))
                curl -ksS --fail --max-time 10 -o /dev/null \(url) || failed=$((failed + 1))
            done
            echo "$sent $failed"
            """
        async let first = shell.run("/bin/sh", ["-c", line])
        async let second = shell.run("/bin/sh", ["-c", line])
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        try? FileManager.default.removeItem(atPath: marker)
        for output in [try await first, try await second] {
            let counts = output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            #expect(counts.count == 2 && counts[0] > 10, "the load was sent: \(output)")
            #expect(counts.last == 0, "failed requests of \(counts.first ?? 0): \(counts.last ?? -1)")
        }
        try outcome.get()
    }
}
