import APIClient
import APIMachinery
import HTTPTypes
import KubernetesModel
import NIOCore

/// Pipeline step: the JSON value of a body.
enum Decoding {
    static func object(_ request: APIRequest) throws(Status) -> Object {
        try object(try json(request))
    }

    /// The object of a write; adds its duplicate fields to the context.
    static func object(_ request: APIRequest, _ context: inout RequestContext) throws(Status) -> Object {
        var hasDuplicates = false
        let json = try json(request, hasDuplicates: &hasDuplicates)
        if hasDuplicates, context.fieldValidation != .ignore {
            context.duplicateFields = JSON.duplicates(in: request.body.readableBytesView)
        }
        return try object(json)
    }

    private static func object(_ json: JSON) throws(Status) -> Object {
        guard json.object != nil else {
            throw .badRequest("the object provided is unrecognized (must be of type Object): it is no JSON object")
        }
        return Object(json)
    }

    static func json(_ request: APIRequest) throws(Status) -> JSON {
        var hasDuplicates = false
        return try json(request, hasDuplicates: &hasDuplicates)
    }

    private static func json(_ request: APIRequest, hasDuplicates: inout Bool) throws(Status) -> JSON {
        let type = mediaType(request)
        switch type {
        case "", "application/json", "application/json-patch+json", "application/merge-patch+json",
            "application/strategic-merge-patch+json":
            do {
                return try request.body.withUnsafeReadableBytes { bytes in
                    try JSON(decoding: bytes.bindMemory(to: UInt8.self), hasDuplicates: &hasDuplicates)
                }
            } catch {
                throw .badRequest("error decoding the body: \(error)")
            }
        case ProtobufDecoding.mediaType:
            return try ProtobufDecoding.decode(Array(buffer: request.body))
        case "application/yaml", "application/apply-patch+yaml":
            do {
                return try JSON(yaml: String(buffer: request.body))
            } catch {
                throw .badRequest("error converting YAML to JSON: \(error)")
            }
        default:
            throw .unsupportedMediaType(
                "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json, application/yaml, application/vnd.kubernetes.protobuf")
        }
    }

    /// - Throws: `UnsupportedMediaType` for a kind of patch that the server does not know.
    static func patch(_ request: APIRequest) throws(Status) -> Patch {
        switch mediaType(request) {
        case "application/json-patch+json": .json(try json(request))
        case "application/merge-patch+json": .merge(try json(request))
        case "application/strategic-merge-patch+json": .strategicMerge(try json(request))
        default:
            throw .unsupportedMediaType(
                "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json-patch+json, application/merge-patch+json, "
                    + "application/strategic-merge-patch+json")
        }
    }

    static func mediaType(_ request: APIRequest) -> String {
        let header = request.header(.contentType) ?? ""
        return header.split(separator: ";").first.map { $0.trimmed.lowercased() } ?? ""
    }
}
