import KubernetesModel

/// Pipeline step: whether a user may make a request.
///
/// Authenticated users may do everything until there is role-based access control, but act as somebody else, which in a
/// new cluster of Kubernetes too only the group `system:masters` may; anonymous ones may read the server's health and
/// version.
struct Authorization: Sendable {
    private static let publicPaths: Set<String> = ["/healthz", "/livez", "/readyz", "/version"]

    static let impersonate = "impersonate"

    func allows(_ user: User, _ attributes: Attributes) -> Bool {
        if attributes.verb == Self.impersonate { return user.groups.contains("system:masters") }
        if user.isAuthenticated { return true }
        guard case .path(let path) = attributes.subject else { return false }
        let first = path.split(separator: "/").first.map { "/\($0)" } ?? "/"
        return attributes.verb == "get" && Self.publicPaths.contains(first)
    }

    /// - Throws: `Forbidden`.
    func check(_ user: User, _ attributes: Attributes) throws(Status) {
        guard !allows(user, attributes) else { return }
        switch attributes.subject {
        case .path(let path):
            throw Status(
                code: 403, reason: "Forbidden",
                message: "forbidden: User \"\(user.name)\" cannot \(attributes.verb) path \"\(path)\"")
        case .resource(let type, let namespace, let name, let subresource):
            let resource = subresource.map { "\(type.plural)/\($0)" } ?? type.plural
            let scope = namespace.map { " in the namespace \"\($0)\"" } ?? " at the cluster scope"
            let subject = [type.groupResource, name.map { " \"\($0)\"" } ?? ""].joined()
            throw Status(
                code: 403, reason: "Forbidden",
                message: "\(subject) is forbidden: User \"\(user.name)\" cannot \(attributes.verb) resource "
                    + "\"\(resource)\" in API group \"\(type.group)\"\(scope)",
                name: name, group: type.group, kind: type.plural)
        }
    }

    /// The verb, and what it acts on.
    struct Attributes: Sendable {
        enum Subject: Sendable {
            case path(String)
            case resource(ResourceType, namespace: String?, name: String?, subresource: String?)
        }

        let verb: String
        let subject: Subject
    }
}
