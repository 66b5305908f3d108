import HTTPTypes
import KubernetesModel

/// The user as whom a request is to be made (`kubectl --as`), by its `Impersonate-` headers.
struct Impersonation: Sendable, Equatable {
    /// One thing that the requesting user must be allowed to impersonate.
    struct Subject: Sendable, Equatable {
        let resource: String
        let group: String
        let namespace: String?
        let name: String
        let subresource: String?
    }

    let user: User
    let subjects: [Subject]

    private static let prefix = "impersonate-"
    private static let extraPrefix = "impersonate-extra-"

    /// Nil where a request names nobody.
    ///
    /// - Throws: `BadRequest` for a header that nothing can be done by: it must never be passed over, as the request
    ///   would be made by somebody else than its client says.
    init?(_ headers: HTTPFields) throws(Status) {
        var name = ""
        var uid = ""
        var groups: [String] = []
        var extra: [String: [String]] = [:]
        var isPresent = false
        for field in headers {
            let header = field.name.canonicalName
            guard header.hasPrefix(Self.prefix) else { continue }
            isPresent = true
            switch header {
            case "impersonate-user": name = field.value
            case "impersonate-group": groups.append(field.value)
            case "impersonate-uid": uid = field.value
            case _ where header.hasPrefix(Self.extraPrefix):
                let key = percentDecoded(header.dropFirst(Self.extraPrefix.count).utf8, plusIsSpace: false)
                extra[key, default: []].append(field.value)
            default:
                throw .badRequest("unknown header \(field.name.rawName): it names nothing that can be impersonated")
            }
        }
        guard isPresent else { return nil }
        guard !name.isEmpty else {
            throw .badRequest("requested to impersonate a group, an uid or an extra field without impersonating a user")
        }
        let account = Self.account(name)
        var subjects = [
            Subject(
                resource: account == nil ? "users" : "serviceaccounts", group: "", namespace: account?.namespace,
                name: account?.name ?? name, subresource: nil)
        ]
        subjects += groups.map {
            Subject(resource: "groups", group: "", namespace: nil, name: $0, subresource: nil)
        }
        let group = "authentication.k8s.io"
        if !uid.isEmpty {
            subjects.append(Subject(resource: "uids", group: group, namespace: nil, name: uid, subresource: nil))
        }
        for (key, values) in extra.sorted(by: { $0.key < $1.key }) {
            subjects += values.map {
                Subject(resource: "userextras", group: group, namespace: nil, name: $0, subresource: key)
            }
        }
        if let account, groups.isEmpty {
            groups = ["system:serviceaccounts", "system:serviceaccounts:\(account.namespace)"]
        }
        let everyone = name == User.anonymous.name ? "system:unauthenticated" : "system:authenticated"
        if !groups.contains(everyone) { groups.append(everyone) }
        user = User(name: name, uid: uid, groups: groups, extra: extra)
        self.subjects = subjects
    }

    private static func account(_ name: String) -> (namespace: String, name: String)? {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == "system", parts[1] == "serviceaccount", Names.label(parts[2]).isEmpty,
            Names.subdomain(parts[3]).isEmpty
        else { return nil }
        return (parts[2], parts[3])
    }
}
