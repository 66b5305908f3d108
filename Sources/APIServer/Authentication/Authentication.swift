import Crypto
import HTTPTypes
import KubernetesModel
import NIOSSL
import SwiftASN1
import X509

/// Pipeline step: the user of a request, by its bearer token, else the connection's client certificate, else anonymous.
struct Authentication: Sendable {
    let tokens: TokenAuthority?

    /// The user that a verified client certificate names: its common name, in the groups of its organizations.
    static func user(of certificate: NIOSSLCertificate?) -> User? {
        guard let certificate, let der = try? certificate.toDERBytes(), let parsed = try? Certificate(derEncoded: der)
        else { return nil }
        var name = ""
        var groups: [String] = []
        for attribute in parsed.subject.lazy.joined() {
            guard let value = String(attribute.value) else { continue }
            if attribute.type == .RDNAttributeType.commonName { name = value }
            if attribute.type == .RDNAttributeType.organizationName { groups.append(value) }
        }
        guard !name.isEmpty else { return nil }
        return User(name: name, groups: groups + ["system:authenticated"])
    }

    /// - Throws: `Unauthorized` for a token that is not, or no longer, valid.
    func user(
        headers: HTTPFields, certificate: User?, isCurrent: (TokenClaims) -> Bool
    ) throws(Status) -> User {
        if let header = headers[.authorization], header.lowercased().hasPrefix("bearer ") {
            let token = String(header.dropFirst("bearer ".count))
            guard let tokens, let claims = tokens.verify(token), isCurrent(claims) else { throw .unauthorized() }
            return claims.user
        }
        return certificate ?? .anonymous
    }
}
