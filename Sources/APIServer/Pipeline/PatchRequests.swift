import APIClient
import APIMachinery
import Kinds
import KubernetesModel

/// Carries out patches, each kind by its media type.
enum PatchRequests {
    /// - Throws: `UnsupportedMediaType` for a kind of patch that the server does not know.
    static func patch(_ request: APIRequest) throws(Status) -> Patch {
        switch Decoding.mediaType(request) {
        case "application/json-patch+json": .json(try Decoding.json(request))
        case "application/merge-patch+json": .merge(try Decoding.json(request))
        case "application/strategic-merge-patch+json": .strategicMerge(try Decoding.json(request))
        default:
            throw .unsupportedMediaType(
                "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json-patch+json, application/merge-patch+json, "
                    + "application/strategic-merge-patch+json")
        }
    }

    /// The object as a patch makes it.
    static func apply(_ patch: Patch, to object: Object, _ resource: Kind) throws(Status) -> Object {
        guard case .strategicMerge(let json) = patch else { return try applySchemaless(patch, to: object) }
        // Custom resources have no strategies; clients are told so, and use a merge patch.
        guard !resource.info.isCustom else {
            throw .unsupportedMediaType(
                "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json-patch+json, application/merge-patch+json")
        }
        return Object(try Patching.strategicMerge(json, into: object.json, schema: resource.schema))
    }

    /// As `apply`, for an object whose lists have no keys.
    static func applySchemaless(_ patch: Patch, to object: Object) throws(Status) -> Object {
        switch patch {
        case .json(let json): return Object(try Patching.jsonPatch(json, to: object.json))
        case .merge(let json), .strategicMerge(let json): return Object(Patching.merge(json, into: object.json))
        case .apply: throw .unsupportedMediaType("server-side apply is not supported for this resource")
        }
    }
}
