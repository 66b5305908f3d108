import KubernetesModel
import Synchronization

/// What a request's answer says in `Warning` headers, gathered along the pipeline.
final class Warnings: Sendable {
    private let texts = Mutex<[String]>([])

    func add(_ text: String) {
        texts.withLock { texts in
            if !texts.contains(text) { texts.append(text) }
        }
    }

    /// What every request on a kind that is on its way out is told.
    static func deprecation(of type: ResourceType) -> String? {
        switch type.groupResource {
        case "endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
        case "componentstatuses": "v1 ComponentStatus is deprecated in v1.19+"
        default: nil
        }
    }

    /// The headers' values (RFC 7234, 5.5, with code 299).
    var headers: [String] {
        texts.withLock { texts in
            texts.map { text in
                let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(
                    "\n", with: " ")
                return "299 - \"\(escaped)\""
            }
        }
    }
}
