import Synchronization

/// The warnings of one request, collected along the pipeline and sent as `Warning` headers.
final class Warnings: Sendable {
    private let texts = Mutex(WarningTexts())

    func add(_ text: String) {
        texts.withLock { $0.add(text) }
    }

    /// The headers' values (RFC 7234, 5.5, with code 299).
    var headers: [String] {
        texts.withLock { texts in
            texts.ordered.map { text in
                let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(
                    "\n", with: " ")
                return "299 - \"\(escaped)\""
            }
        }
    }
}
