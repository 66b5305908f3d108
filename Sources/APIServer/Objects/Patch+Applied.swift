import APIClient
import APIMachinery
import Kinds
import KubernetesModel

extension Patch {
    /// The patched object.
    func applied(to object: Object, _ resource: Kind) throws(Status) -> Object {
        guard case .strategicMerge(let json) = self else { return try appliedWithoutSchema(to: object) }
        // Custom resources have no patch strategies; clients fall back to a merge patch.
        guard !resource.info.isCustom else {
            throw .unsupportedMediaType(
                "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json-patch+json, application/merge-patch+json")
        }
        return Object(try Patching.strategicMerge(json, into: object.json, schema: resource.schema))
    }

    /// As `applied`, for an object whose lists have no keys.
    func appliedWithoutSchema(to object: Object) throws(Status) -> Object {
        switch self {
        case .json(let json): return Object(try Patching.jsonPatch(json, to: object.json))
        case .merge(let json), .strategicMerge(let json): return Object(Patching.merge(json, into: object.json))
        case .apply: throw .unsupportedMediaType("server-side apply is not supported for this resource")
        }
    }
}
