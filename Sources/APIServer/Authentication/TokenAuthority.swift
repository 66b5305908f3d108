import Crypto
import KubernetesModel
import Synchronization

/// Issues and verifies service-account tokens: JSON Web Tokens (RFC 7519) signed with ES256 (RFC 7518, 3.4).
final class TokenAuthority: Sendable {
    static let issuer = "https://kubernetes.default.svc.cluster.local"

    private let privateKey: P256.Signing.PrivateKey?
    private let publicKey: P256.Signing.PublicKey
    /// Tokens with a verified signature: a client sends the same one with each request.
    private let verified = Mutex<[String: TokenClaims]>([:])
    private static let maxVerified = 1000

    init(privateKey: P256.Signing.PrivateKey) {
        self.privateKey = privateKey
        publicKey = privateKey.publicKey
    }

    init(publicKey: P256.Signing.PublicKey) {
        privateKey = nil
        self.publicKey = publicKey
    }

    /// The public key as a JSON Web Key Set (RFC 7517), by which others can verify tokens.
    var keySet: JSON {
        // The uncompressed form: a byte 4, then the two coordinates.
        let point = publicKey.x963Representation.dropFirst()
        return [
            "keys": [
                [
                    "use": "sig", "kty": "EC", "kid": .string(keyID), "alg": "ES256", "crv": "P-256",
                    "x": .string(Base64URL.encode(point.prefix(32))), "y": .string(Base64URL.encode(point.suffix(32))),
                ]
            ]
        ]
    }

    private var keyID: String { Base64URL.encode(SHA256.hash(data: publicKey.derRepresentation)) }

    /// A signed token, nil where this authority has no private key.
    func issue(_ claims: TokenClaims) -> String? {
        guard let privateKey else { return nil }
        let header: JSON = ["alg": "ES256", "kid": .string(keyID), "typ": "JWT"]
        let signed = Base64URL.encode(header.encoded(sorted: true)) + "." + Base64URL.encode(claims.json.encoded())
        guard let signature = try? privateKey.signature(for: Array(signed.utf8)) else { return nil }
        return signed + "." + Base64URL.encode(signature.rawRepresentation)
    }

    /// The claims of a token that this authority signed and that is valid now.
    func verify(_ token: String, now: Timestamp = .now) -> TokenClaims? {
        guard let claims = verified.withLock({ $0[token] }) ?? verifySignature(token),
            claims.notBefore <= now.seconds, now.seconds < claims.expires
        else { return nil }
        return claims
    }

    private func verifySignature(_ token: String) -> TokenClaims? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let raw = Base64URL.decode(parts[2]),
            let head = try? JSON(decoding: header), head["alg"].string == "ES256",
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: raw),
            publicKey.isValidSignature(signature, for: Array("\(parts[0]).\(parts[1])".utf8)),
            let json = try? JSON(decoding: payload), let claims = TokenClaims(json)
        else { return nil }
        verified.withLock { verified in
            if verified.count >= Self.maxVerified { verified = [:] }
            verified[token] = claims
        }
        return claims
    }
}

/// The claims of a service-account token.
struct TokenClaims: Sendable {
    let namespace: String
    let serviceAccount: String
    let serviceAccountUID: String
    /// The object that the token is bound to: once that is deleted, the token is invalid.
    let bound: (kind: String, name: String, uid: String)?
    /// The node of the pod that the token is bound to.
    let node: (name: String, uid: String)?
    let audiences: [String]
    let notBefore: Int
    let expires: Int
    let id: String

    init(
        namespace: String, serviceAccount: String, serviceAccountUID: String,
        bound: (kind: String, name: String, uid: String)?, node: (name: String, uid: String)? = nil,
        audiences: [String], notBefore: Int, expires: Int, id: String
    ) {
        self.namespace = namespace
        self.serviceAccount = serviceAccount
        self.serviceAccountUID = serviceAccountUID
        self.bound = bound
        self.node = node
        self.audiences = audiences
        self.notBefore = notBefore
        self.expires = expires
        self.id = id
    }

    init?(_ json: JSON) {
        let kubernetes = json["kubernetes.io"]
        guard json["iss"].string == TokenAuthority.issuer, let namespace = kubernetes["namespace"].string,
            let serviceAccount = kubernetes["serviceaccount"]["name"].string, let expires = json["exp"].int
        else { return nil }
        self.namespace = namespace
        self.serviceAccount = serviceAccount
        serviceAccountUID = kubernetes["serviceaccount"]["uid"].string ?? ""
        let kind = ["pod", "secret", "node"].first { !kubernetes[$0].isNull }
        bound = kind.map {
            ($0, kubernetes[$0]["name"].string ?? "", kubernetes[$0]["uid"].string ?? "")
        }
        node =
            kind == "pod"
            ? kubernetes["node"]["name"].string.map { ($0, kubernetes["node"]["uid"].string ?? "") } : nil
        audiences = json["aud"].string.map { [$0] } ?? json["aud"].strings
        notBefore = json["nbf"].int ?? 0
        self.expires = expires
        id = json["jti"].string ?? ""
    }

    var json: JSON {
        var kubernetes: JSON = [
            "namespace": .string(namespace),
            "serviceaccount": ["name": .string(serviceAccount), "uid": .string(serviceAccountUID)],
        ]
        if let bound { kubernetes[bound.kind] = ["name": .string(bound.name), "uid": .string(bound.uid)] }
        if let node { kubernetes["node"] = ["name": .string(node.name), "uid": .string(node.uid)] }
        return [
            "iss": .string(TokenAuthority.issuer), "aud": JSON(audiences), "iat": JSON(notBefore),
            "nbf": JSON(notBefore), "exp": JSON(expires), "jti": .string(id), "kubernetes.io": kubernetes,
            "sub": .string(userName),
        ]
    }

    private var userName: String { "system:serviceaccount:\(namespace):\(serviceAccount)" }

    var user: User {
        var extra = ["authentication.kubernetes.io/credential-id": ["JTI=\(id)"]]
        if let bound, bound.kind == "pod" {
            extra["authentication.kubernetes.io/pod-name"] = [bound.name]
            extra["authentication.kubernetes.io/pod-uid"] = [bound.uid]
        }
        if let node {
            extra["authentication.kubernetes.io/node-name"] = [node.name]
            extra["authentication.kubernetes.io/node-uid"] = [node.uid]
        }
        return User(
            name: userName, uid: serviceAccountUID,
            groups: ["system:serviceaccounts", "system:serviceaccounts:\(namespace)", "system:authenticated"],
            extra: extra)
    }
}

/// Base64 with the URL alphabet and without padding (RFC 4648, 5; RFC 7515, 2).
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(alphabet[Int(bits >> UInt32(count)) & 63])
            }
        }
        if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count)) & 63]) }
        return String(decoding: text, as: UTF8.self)
    }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8 {
            guard let value = alphabet.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
