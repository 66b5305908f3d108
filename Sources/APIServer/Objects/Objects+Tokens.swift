import KubernetesModel

extension Objects {
    /// Why a service account's token no longer counts; nil where it does.
    func invalidation(of claims: TokenClaims) -> String? {
        let revoked = "service account token has been invalidated"
        guard let account = object(.serviceAccounts, namespace: claims.namespace, name: claims.serviceAccount) else {
            return "serviceaccounts \"\(claims.serviceAccount)\" not found"
        }
        guard account.uid == claims.serviceAccountUID else { return revoked }
        guard let bound = claims.bound, bound.kind == "pod" || bound.kind == "secret" else { return nil }
        let type: ResourceType = bound.kind == "pod" ? .pods : .secrets
        return object(type, namespace: claims.namespace, name: bound.name)?.uid == bound.uid ? nil : revoked
    }
}
