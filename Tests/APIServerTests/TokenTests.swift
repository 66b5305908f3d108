import Crypto
import KubernetesModel
import Testing

@testable import APIServer

@Suite struct TokenTests {
    private static func claims(expires: Int) -> TokenClaims {
        TokenClaims(
            namespace: "default", serviceAccount: "bob", serviceAccountUID: "u1", bound: ("pod", "p", "u2"),
            audiences: ["a"], notBefore: 100, expires: expires, id: "i")
    }

    @Test func aTokenNamesItsAccountUntilItExpires() throws {
        let authority = TokenAuthority(privateKey: P256.Signing.PrivateKey())
        let token = try #require(authority.issue(Self.claims(expires: 200)))
        for _ in 0..<2 {
            let read = try #require(authority.verify(token, now: Timestamp(seconds: 150)))
            #expect(read.user.name == "system:serviceaccount:default:bob")
            #expect(read.user.extra["authentication.kubernetes.io/pod-name"] == ["p"])
            #expect(authority.verify(token, now: Timestamp(seconds: 200)) == nil, "expired")
            #expect(authority.verify(token, now: Timestamp(seconds: 99)) == nil, "not valid yet")
        }
    }

    @Test func onlyItsOwnSignatureCounts() throws {
        let authority = TokenAuthority(privateKey: P256.Signing.PrivateKey())
        let other = TokenAuthority(privateKey: P256.Signing.PrivateKey())
        let token = try #require(authority.issue(Self.claims(expires: 200)))
        #expect(other.verify(token, now: Timestamp(seconds: 150)) == nil)
        let parts = token.split(separator: ".")
        let forged = Base64URL.encode(Self.claims(expires: 9999).json.encoded())
        #expect(authority.verify("\(parts[0]).\(forged).\(parts[2])", now: Timestamp(seconds: 150)) == nil)
    }

    /// Others verify tokens with what they can read of the key.
    @Test func thePublishedKeyVerifiesTokens() async throws {
        try await TestServer.run { api in
            let accounts = "/api/v1/namespaces/default/serviceaccounts"
            try await api.client.create(.serviceAccounts, Object(.serviceAccounts, namespace: "default", name: "bob"))
            let issued = try await api.send(.post, "\(accounts)/bob/token", ["spec": ["audiences": ["a"]]])
            let parts = try #require(issued.json["status"]["token"].string).split(separator: ".")
            try #require(issued.code == 201 && parts.count == 3)

            let configuration = try await api.send(.get, "/.well-known/openid-configuration").json
            #expect(configuration["jwks_uri"].string?.hasSuffix("/openid/v1/jwks") == true)
            let key = try await api.send(.get, "/openid/v1/jwks").json["keys"][0]
            let header = try JSON(decoding: try #require(Base64URL.decode(parts[0])))
            #expect(key["kid"] == header["kid"] && key["alg"] == header["alg"] && key["crv"] == "P-256")
            let point = try ["x", "y"].flatMap { name in
                try #require(key[name].string.flatMap { Base64URL.decode($0) })
            }
            let publicKey = try P256.Signing.PublicKey(rawRepresentation: point)
            let signature = try P256.Signing.ECDSASignature(
                rawRepresentation: try #require(Base64URL.decode(parts[2])))
            #expect(publicKey.isValidSignature(signature, for: Array("\(parts[0]).\(parts[1])".utf8)))
        }
    }

    @Test(arguments: [(599, "less than 10 minutes"), (Int.max, "larger than 2^32 seconds")])
    func lifetimesHaveLimits(seconds: Int, fault: String) async throws {
        try await TestServer.run { api in
            try await api.client.create(.serviceAccounts, Object(.serviceAccounts, namespace: "default", name: "bob"))
            let status = try await api.refusal(
                .post, "/api/v1/namespaces/default/serviceaccounts/bob/token",
                ["spec": ["expirationSeconds": JSON(seconds)]])
            #expect(status.code == 422 && status.message.contains(fault))
        }
    }
}
