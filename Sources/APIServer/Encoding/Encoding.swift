import APIMachinery
import HTTPTypes
import Kinds
import KubernetesModel
import NIOCore
import Store

/// Pipeline step: the response, in the form and format that the client accepts.
struct Encoding: Sendable {
    enum Format: Sendable {
        case json, yaml

        var contentType: String { self == .json ? "application/json" : "application/yaml" }
    }

    enum Form: Sendable, Hashable {
        case object
        case table(version: String)
        case metadata(version: String)
    }

    let format: Format
    let form: Form

    static let plain = Encoding(format: .json, form: .object)

    private init(format: Format, form: Form) {
        self.format = format
        self.form = form
    }

    /// The first supported form of an `Accept` header.
    ///
    /// - Parameter hasTable: whether a table of what is asked for can be had.
    /// - Throws: `NotAcceptable` where there is none.
    init(accept: String?, hasTable: Bool = true) throws(Status) {
        guard let accept, !accept.isEmpty else {
            self = .plain
            return
        }
        for alternative in accept.split(separator: ",") {
            var parts = alternative.split(separator: ";").map { $0.trimmed }
            let type = parts.removeFirst().lowercased()
            var parameters: [String: String] = [:]
            for part in parts {
                let pair = part.split(separator: "=", maxSplits: 1)
                if pair.count == 2 { parameters[pair[0].lowercased()] = String(pair[1]) }
            }
            let format: Format
            switch type {
            case "application/json", "*/*", "application/*": format = .json
            case "application/yaml": format = .yaml
            default: continue
            }
            guard let wanted = parameters["as"] else {
                self.init(format: format, form: .object)
                return
            }
            guard parameters["g"] ?? "meta.k8s.io" == "meta.k8s.io" else { continue }
            let version = parameters["v"] ?? "v1"
            guard ["v1", "v1beta1"].contains(version) else { continue }
            switch wanted {
            case "Table" where hasTable: self.init(format: format, form: .table(version: version))
            case "PartialObjectMetadata", "PartialObjectMetadataList":
                self.init(format: format, form: .metadata(version: version))
            default: continue
            }
            return
        }
        throw Status(
            code: 406, reason: "NotAcceptable",
            message: "only the following media types are accepted: application/json, application/yaml")
    }

    func response(_ json: JSON, code: Int = 200) -> APIResponse {
        switch format {
        case .json: APIResponse(code: code, bytes: json.encoded() + [0x0A])
        case .yaml:
            APIResponse(code: code, contentType: format.contentType, bytes: Array(((try? json.yaml) ?? "").utf8))
        }
    }

    static func response(_ status: Status) -> APIResponse {
        var response = Encoding.plain.response(status.json, code: status.code)
        if let seconds = status.retryAfterSeconds { response.headers.append((.retryAfter, String(seconds))) }
        return response
    }

    /// A stored object's JSON in the requested version: the stored bytes, where that is the storage version.
    static func bytes(_ stored: StoredObject, _ resource: Kind) -> ByteBuffer {
        guard !resource.isStorageVersion else { return ByteBuffer(bytes: stored.bytes) }
        return ByteBuffer(bytes: resource.converted(stored.object).json.encoded())
    }

    /// An object in the requested form.
    func json(
        _ object: Object, _ resource: Kind, include: Table.IncludeObject = .metadata,
        withDefinitions: Bool = true
    ) -> JSON {
        let object = resource.isStorageVersion ? object : resource.converted(object)
        switch form {
        case .object: return object.json
        case .metadata(let version): return Self.partial(object, version)
        case .table(let version):
            return Self.table([object], resource, metadata: object.metadata, include, version, withDefinitions)
        }
    }

    /// An object of a subresource's own kind in the requested form.
    func json(_ object: Object, _ columns: Table.Columns) -> JSON {
        switch form {
        case .object: return object.json
        case .metadata(let version): return Self.partial(object, version)
        case .table(let version):
            var list = JSON.object([:])
            list["resourceVersion"] = object.metadata["resourceVersion"]
            var table = Table.of(
                [object], columns, listMetadata: list, include: .metadata, headers: true, now: .now)
            table["apiVersion"] = .string("meta.k8s.io/\(version)")
            return table
        }
    }

    func response(_ stored: StoredObject, _ resource: Kind, code: Int = 200) -> APIResponse {
        guard format == .json, form == .object else {
            return response(json(stored.object, resource), code: code)
        }
        return APIResponse(code: code, body: .bytes(Self.bytes(stored, resource)))
    }

    func response(_ written: Written, _ resource: Kind, code: Int = 200) -> APIResponse {
        switch written.form {
        case .stored(let stored): response(stored, resource, code: code)
        case .draft(let object): response(json(object, resource), code: code)
        }
    }

    func response(_ page: Page, _ resource: Kind, include: Table.IncludeObject) -> APIResponse {
        var metadata: JSON = ["resourceVersion": .string(String(page.revision))]
        if let token = page.continueToken { metadata["continue"] = .string(token) }
        if let remaining = page.remaining { metadata["remainingItemCount"] = JSON(remaining) }
        let type = resource.type
        func objects() -> [Object] {
            page.items.map { stored in
                resource.isStorageVersion ? stored.object : resource.converted(stored.object)
            }
        }
        switch form {
        case .table(let version):
            return response(Self.table(objects(), resource, metadata: metadata, include, version, true))
        case .metadata(let version):
            return response([
                "kind": "PartialObjectMetadataList", "apiVersion": .string("meta.k8s.io/\(version)"),
                "metadata": metadata, "items": .array(objects().map { Self.partial($0, version) }),
            ])
        case .object:
            let kind = resource.listKind
            guard format == .json else {
                return response([
                    "kind": .string(kind), "apiVersion": .string(type.apiVersion), "metadata": metadata,
                    "items": .array(objects().map(\.json)),
                ])
            }
            var bytes = ByteBuffer()
            bytes.reserveCapacity(page.items.reduce(256) { $0 + $1.bytes.count + 1 })
            bytes.writeString("{\"kind\":\"\(kind)\",\"apiVersion\":\"\(type.apiVersion)\",\"metadata\":")
            bytes.writeBytes(metadata.encoded())
            bytes.writeString(",\"items\":[")
            for (index, item) in page.items.enumerated() {
                if index > 0 { bytes.writeInteger(UInt8(ascii: ",")) }
                if resource.isStorageVersion {
                    bytes.writeBytes(item.bytes)
                } else {
                    bytes.writeImmutableBuffer(Self.bytes(item, resource))
                }
            }
            bytes.writeString("]}\n")
            return APIResponse(body: .bytes(bytes))
        }
    }

    static func table(
        _ objects: [Object], _ resource: Kind, metadata: JSON, _ include: Table.IncludeObject,
        _ version: String, _ withDefinitions: Bool
    ) -> JSON {
        var list = JSON.object([:])
        for field in ["resourceVersion", "continue", "remainingItemCount"] { list[field] = metadata[field] }
        var table = resource.table(of: objects, listMetadata: list, include: include, headers: withDefinitions)
        table["apiVersion"] = .string("meta.k8s.io/\(version)")
        return table
    }

    static func partial(_ object: Object, _ version: String) -> JSON {
        [
            "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
            "metadata": object.metadata,
        ]
    }
}

extension Substring {
    var trimmed: String {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
