import APIMachinery
import KubernetesModel

/// Access reviews and token reviews: a create returns the object with its status, and stores nothing.
struct Reviews: VirtualResources {
    let authorization: Authorization
    let authentication: Authentication

    func contain(_ type: ResourceType) -> Bool {
        type.group == "authorization.k8s.io" || type.group == "authentication.k8s.io"
    }

    func respond(to request: APIRequest, _ resource: ResourceRequest) throws(Status) -> APIResponse {
        let encoding = try Encoding(accept: request.header(.accept), hasTable: false)
        let review = try create(Decoding.object(request), resource, by: request.user)
        return encoding.response(encoding.json(review, resource.resource), code: 201)
    }

    private func create(_ sent: Object, _ resource: ResourceRequest, by user: User) throws(Status) -> Object {
        var review = try StructuralDecoding(sent.json, as: resource.resource.info).object
        try Objects.checkType(of: &review, resource.type)
        review.metadata["creationTimestamp"] = .null
        switch resource.type.kind {
        case "SelfSubjectReview":
            review.status = ["userInfo": Self.information(user)]
        case "SelfSubjectAccessReview":
            review.status = answer(user, review.spec)
        case "SubjectAccessReview", "LocalSubjectAccessReview":
            review.status = answer(Self.subject(review.spec), review.spec)
        case "SelfSubjectRulesReview":
            review.status = rules(user)
        case "TokenReview":
            review.status = try token(review.spec)
        default: throw .pathNotFound()
        }
        return review
    }

    private static func subject(_ spec: JSON) -> User {
        User(
            name: spec["user"].string ?? "", uid: spec["uid"].string ?? "",
            groups: spec["groups"].strings + (spec["user"].string == "system:anonymous" ? [] : ["system:authenticated"])
        )
    }

    private func answer(_ user: User, _ spec: JSON) -> JSON {
        let allowed = authorization.allows(user, attributes(spec))
        return ["allowed": .bool(allowed)]
    }

    private func attributes(_ spec: JSON) -> Authorization.Attributes {
        let path = spec["nonResourceAttributes"]
        guard path.isNull else {
            return .init(verb: path["verb"].string ?? "", subject: .path(path["path"].string ?? ""))
        }
        let asked = spec["resourceAttributes"]
        let type = ResourceType(
            group: asked["group"].string ?? "", version: asked["version"].string ?? "",
            plural: asked["resource"].string ?? "", kind: "", namespaced: !asked["namespace"].isNull)
        return .init(
            verb: asked["verb"].string ?? "",
            subject: .resource(
                type, namespace: asked["namespace"].string, name: asked["name"].string,
                subresource: asked["subresource"].string))
    }

    private func rules(_ user: User) -> JSON {
        let everything: JSON = ["*"]
        guard user.isAuthenticated else { return ["resourceRules": [], "nonResourceRules": [], "incomplete": false] }
        return [
            "resourceRules": [["verbs": everything, "apiGroups": everything, "resources": everything]],
            "nonResourceRules": [["verbs": everything, "nonResourceURLs": everything]], "incomplete": false,
        ]
    }

    private func token(_ spec: JSON) throws(Status) -> JSON {
        guard let token = spec["token"].string, !token.isEmpty else {
            throw .badRequest("token is required for TokenReview in authentication")
        }
        let wanted = spec["audiences"].strings
        do {
            let (user, audiences) = try authentication.user(
                token: token, audiences: wanted.isEmpty ? Authentication.audiences : wanted)
            return ["authenticated": true, "user": Self.information(user), "audiences": JSON(audiences)]
        } catch {
            return ["user": [:], "error": .string(error.description)]
        }
    }

    private static func information(_ user: User) -> JSON {
        var json: JSON = ["username": .string(user.name), "groups": JSON(user.groups)]
        if !user.uid.isEmpty { json["uid"] = .string(user.uid) }
        if !user.extra.isEmpty { json["extra"] = .object(user.extra.mapValues { JSON($0) }) }
        return json
    }
}
