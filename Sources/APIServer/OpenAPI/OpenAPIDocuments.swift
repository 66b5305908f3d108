import Kinds
import KubernetesModel

/// The API's description of itself: OpenAPI v2 (whole) and v3 (a document a group and version).
///
/// `kubectl` validates, explains and merges by these. A document is written at its first request and kept until the
/// catalogue changes.
public actor OpenAPIDocuments {
    /// A document and a tag that changes with it.
    public struct Document: Sendable {
        public let bytes: [UInt8]
        public let contentType: String
        /// Upper-case hexadecimal digits, to be quoted in an `ETag` header.
        public let tag: String

        init(_ bytes: [UInt8], _ contentType: String) {
            self.bytes = bytes
            self.contentType = contentType
            let digits = String(Identifiers.fnv1a(bytes), radix: 16, uppercase: true)
            tag =
                String(repeating: "0", count: 8 - digits.count) + digits
                + String(bytes.count, radix: 16, uppercase: true)
        }
    }

    private static let protobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    private static let json = "application/json"

    private var catalogue: Catalogue
    private let version: String
    private var kept: [String: Document] = [:]

    /// - Parameter version: the API server's version, as `/version` gives it.
    public init(_ catalogue: Catalogue, version: String) {
        self.catalogue = catalogue
        self.version = version
    }

    /// Replaces the catalogue.
    public func update(_ catalogue: Catalogue) {
        self.catalogue = catalogue
        kept = [:]
    }

    /// `/openapi/v2`, in the form that `accept` asks for: gnostic's protobuf, or JSON.
    public func v2(accept: String) -> Document {
        let isProtobuf = accept.split(separator: ",").first?.contains("proto-openapi.spec.v2") ?? false
        return document(isProtobuf ? "v2+protobuf" : "v2") {
            let json = OpenAPIWriter(catalogue, .v2, version: version).v2()
            if isProtobuf { return Document(OpenAPIProtobuf.document(json), Self.protobufType) }
            return Document(json.encoded(sorted: true), Self.json)
        }
    }

    /// `/openapi/v3`: where the documents of the groups and versions are.
    public func v3Root() -> Document {
        document("v3") {
            var paths: [String: JSON] = [:]
            for groupVersion in catalogue.groupVersions {
                let path = groupVersion.group.isEmpty ? "api/v1" : "apis/\(groupVersion.apiVersion)"
                guard let document = v3(path) else { continue }
                paths[path] = ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(document.tag)")]
            }
            return Document(JSON.object(["paths": .object(paths)]).encoded(sorted: true), Self.json)
        }
    }

    /// `/openapi/v3/…`: a group and version's document, by the path after `v3/` (`api/v1`, `apis/apps/v1`).
    public func v3(_ path: String) -> Document? {
        let parts = path.split(separator: "/").map(String.init)
        let groupVersion: Catalogue.GroupVersion
        switch (parts.first, parts.count) {
        case ("api", 2): groupVersion = .init(group: "", version: parts[1])
        case ("apis", 3): groupVersion = .init(group: parts[1], version: parts[2])
        default: return nil
        }
        guard !catalogue.resources(in: groupVersion).isEmpty else { return nil }
        return document("v3/\(path)") {
            let json = OpenAPIWriter(catalogue, .v3, version: version).v3(groupVersion)
            return Document(json.encoded(sorted: true), Self.json)
        }
    }

    private func document(_ key: String, _ make: () -> Document) -> Document {
        if let document = kept[key] { return document }
        let document = make()
        kept[key] = document
        return document
    }
}
