import APIClient
import APIMachinery
import Kinds
import KubernetesModel

/// What a subresource does (`pods/binding`, `deployments/scale`), for every client alike.
///
/// Which kinds have it, with which verbs, is in their rows of the catalogue. It is an `ObjectSubresource` or a
/// `ConnectSubresource`.
protocol SubresourceHandler: Sendable {
    /// As the path ends: `status`.
    var name: String { get }
}

/// A subresource that is read or written as an object, over HTTP or in process.
///
/// Verbs that no kind has for it need no method.
protocol ObjectSubresource: SubresourceHandler {
    func get(_ request: SubresourceRequest) async throws(Status) -> SubresourceResult
    /// Called after admission.
    func create(_ sent: Object, _ request: SubresourceRequest) async throws(Status) -> SubresourceResult
    /// Has its change admitted.
    func update(_ change: SubresourceChange, _ request: SubresourceRequest) async throws(Status) -> SubresourceResult
}

extension ObjectSubresource {
    func get(_ request: SubresourceRequest) async throws(Status) -> SubresourceResult {
        throw .methodNotSupported(request.resource.type, "get")
    }
    func create(_ sent: Object, _ request: SubresourceRequest) async throws(Status) -> SubresourceResult {
        throw .methodNotSupported(request.resource.type, "create")
    }
    func update(_ change: SubresourceChange, _ request: SubresourceRequest) async throws(Status) -> SubresourceResult {
        throw .methodNotSupported(request.resource.type, "update")
    }
}

/// A subresource that needs a connection: it streams, speaks another protocol, or carries the request elsewhere.
protocol ConnectSubresource: SubresourceHandler {
    /// Whether admission sees its requests as CONNECT; reading a log is no such.
    var isAdmitted: Bool { get }
    func connect(_ http: APIRequest, _ request: SubresourceRequest) async throws -> APIResponse
    /// The session that the connection may be upgraded to; nil where there is none to be had.
    func upgrade(_ http: APIRequest, _ request: SubresourceRequest, to protocolName: String) async throws -> Upgrade?
}

extension ConnectSubresource {
    var isAdmitted: Bool { true }
    func upgrade(_ http: APIRequest, _ request: SubresourceRequest, to protocolName: String) async throws -> Upgrade? {
        nil
    }
}

/// A request on a subresource of a named object.
struct SubresourceRequest: Sendable {
    let resource: ResourceRequest
    /// The object's name.
    let name: String
    let context: RequestContext
}

/// How a client changes a subresource.
enum SubresourceChange: Sendable {
    case replace(Object)
    case patch(Patch)

    /// The new state of what has the form of the whole object.
    func applied(to object: Object, _ resource: Kind) throws(Status) -> Object {
        switch self {
        case .replace(let sent): sent
        case .patch(let patch): try patch.applied(to: object, resource)
        }
    }

    /// As `applied`, for an object whose lists have no keys.
    func appliedWithoutSchema(to object: Object) throws(Status) -> Object {
        switch self {
        case .replace(let sent): sent
        case .patch(let patch): try patch.appliedWithoutSchema(to: object)
        }
    }
}

/// What a subresource answers.
enum SubresourceResult: Sendable {
    /// The object that the subresource is a part of.
    case whole(Written)
    /// An object of the subresource's own kind, and the columns that it has as a table.
    case object(Object, Table.Columns = .nameAndAge)
    /// The action is done.
    case success
}
