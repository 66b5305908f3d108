import Kinds
import KubernetesModel

/// `serviceaccounts/token`: tokens for `kubectl create token` and for pods.
struct TokenSubresource: ObjectSubresource {
    let name = "token"
    let objects: Objects
    let tokens: TokenAuthority?

    func create(_ sent: Object, _ request: SubresourceRequest) throws(Status) -> SubresourceResult {
        let resource = request.resource
        return .object(try issue(sent, account: request.name, resource))
    }

    private func issue(_ sent: Object, account name: String, _ resource: ResourceRequest) throws(Status) -> Object {
        let account = try objects.stored(resource.type, namespace: resource.namespace, name: name).object
        guard let tokens else { throw .internalError("this server has no key to sign tokens with") }
        var request = sent
        let audiences = request.spec["audiences"].strings
        let lifetime = request.spec["expirationSeconds"].int ?? 3600
        if let fault = tokenLifetimeFault(lifetime) {
            throw .invalid(
                ResourceType(
                    group: "authentication.k8s.io", version: "v1", plural: "tokenrequests", kind: "TokenRequest",
                    namespaced: true), "",
                [FieldError(.invalid, "spec.expirationSeconds", value: JSON(lifetime), detail: fault)])
        }
        let now = Timestamp.now
        let bound = try bound(request.spec["boundObjectRef"], account)
        let claims = TokenClaims(
            namespace: account.namespace, serviceAccount: name, serviceAccountUID: account.uid,
            bound: bound, node: node(of: bound, account),
            audiences: audiences.isEmpty ? [TokenAuthority.issuer] : audiences, notBefore: now.seconds,
            expires: now.seconds + lifetime, id: Identifiers.uuid())
        guard let token = tokens.issue(claims) else {
            throw .internalError("this server has no key to sign tokens with")
        }
        request["apiVersion"] = "authentication.k8s.io/v1"
        request["kind"] = "TokenRequest"
        request.metadata["name"] = .string(name)
        request.metadata["namespace"] = .string(account.namespace)
        request.metadata["creationTimestamp"] = .string(now.description)
        request.spec["audiences"] = JSON(claims.audiences)
        request.spec["expirationSeconds"] = JSON(lifetime)
        request.status = [
            "token": .string(token),
            "expirationTimestamp": .string(Timestamp(seconds: claims.expires).description),
        ]
        return request
    }

    private func node(
        of bound: (kind: String, name: String, uid: String)?, _ account: Object
    ) -> (name: String, uid: String)? {
        guard let bound, bound.kind == "pod",
            let pod = objects.object(.pods, namespace: account.namespace, name: bound.name),
            let name = Pod(pod).nodeName
        else { return nil }
        return (name, objects.object(.nodes, name: name)?.uid ?? "")
    }

    private func bound(
        _ reference: JSON, _ account: Object
    ) throws(Status) -> (kind: String, name: String, uid: String)? {
        guard let kind = reference["kind"].string, let name = reference["name"].string else { return nil }
        let type: ResourceType
        switch kind {
        case "Pod": type = .pods
        case "Secret": type = .secrets
        default:
            throw .badRequest("cannot bind token to object of type \(kind)")
        }
        let object = try objects.stored(type, namespace: account.namespace, name: name).object
        if let uid = reference["uid"].string, uid != object.uid {
            throw .conflict(
                type, name,
                "the UID in the bound object reference (\(uid)) does not match the UID in record "
                    + "(\(object.uid)). The object might have been deleted and then recreated")
        }
        return (kind.lowercased(), name, object.uid)
    }
}
