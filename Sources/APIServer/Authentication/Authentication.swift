import HTTPTypes
import KubernetesModel

/// Pipeline step: the user of a request, by its bearer token, else the connection's client certificate, else anonymous;
/// then the user whom that one impersonates.
struct Authentication: Sendable {
    /// What the API server's own tokens are for; one for somebody else does not count here.
    static let audiences = [TokenAuthority.issuer]

    /// Why a token is refused.
    struct TokenFault: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    let tokens: TokenAuthority?
    /// Why a token with a valid signature does not count, as its account or the object that it is bound to is gone; nil
    /// where it does.
    let invalidation: @Sendable (TokenClaims) -> String?
    /// Whether a node's certificate is the one that the node has now.
    let isCurrentNodeCertificate: (@Sendable (_ node: String, _ der: [UInt8]) -> Bool)?

    init(
        tokens: TokenAuthority?, invalidation: @escaping @Sendable (TokenClaims) -> String? = { _ in nil },
        isCurrentNodeCertificate: (@Sendable (_ node: String, _ der: [UInt8]) -> Bool)? = nil
    ) {
        self.tokens = tokens
        self.invalidation = invalidation
        self.isCurrentNodeCertificate = isCurrentNodeCertificate
    }

    /// - Throws: `Unauthorized` for a token or a certificate that is not, or no longer, valid.
    func user(headers: HTTPFields, certificate: ClientCertificate?) throws(Status) -> User {
        if let header = headers[.authorization], header.lowercased().hasPrefix("bearer ") {
            do {
                return try user(token: String(header.dropFirst("bearer ".count)), audiences: Self.audiences).user
            } catch {
                throw .unauthorized()
            }
        }
        guard let certificate else { return .anonymous }
        if let node = certificate.node, let isCurrentNodeCertificate, !isCurrentNodeCertificate(node, certificate.der) {
            throw .unauthorized()
        }
        return certificate.user
    }

    /// The user of a token, and which of `wanted` audiences it is for.
    func user(token: String, audiences wanted: [String]) throws(TokenFault) -> (user: User, audiences: [String]) {
        guard let claims = tokens?.verify(token) else { throw TokenFault(description: "invalid bearer token") }
        let audiences = claims.audiences.filter(wanted.contains)
        guard !audiences.isEmpty else {
            func list(_ names: [String]) -> String {
                "[" + names.map { JSON.string($0).description }.joined(separator: " ") + "]"
            }
            throw TokenFault(
                description:
                    "[invalid bearer token, token audiences \(list(claims.audiences)) is invalid for the target "
                    + "audiences \(list(wanted))]")
        }
        if let fault = invalidation(claims) { throw TokenFault(description: "[invalid bearer token, \(fault)]") }
        return (claims.user, audiences)
    }
}
