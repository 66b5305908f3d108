import APIClient
import Crypto
import HTTPTypes
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

/// Tokens that are for somebody else, such as one that a pod has for a service of its own.
@Suite struct TokenAudienceTests {
    private static let accounts = "/api/v1/namespaces/default/serviceaccounts"
    private static let reviews = "/apis/authentication.k8s.io/v1/tokenreviews"
    private static let issuer = TokenAuthority.issuer

    private static func token(_ api: TestRequests, _ audiences: [String], pod: Bool = false) async throws -> String {
        var request: JSON = ["spec": ["audiences": JSON(audiences)]]
        if pod { request["spec"]["boundObjectRef"] = ["kind": "Pod", "apiVersion": "v1", "name": "p"] }
        let (code, json) = try await api.send(.post, "\(accounts)/bob/token", request)
        try #require(code == 201, "\(json)")
        return try #require(json["status"]["token"].string)
    }

    private static func prepare(_ api: TestRequests) async throws {
        try await api.client.create(.serviceAccounts, Object(.serviceAccounts, namespace: "default", name: "bob"))
        var node = Object(.nodes, name: "n")
        node.spec = [:]
        try await api.client.create(.nodes, node)
        var pod = Object(.pods, namespace: "default", name: "p")
        pod.spec = ["nodeName": "n", "serviceAccountName": "bob", "containers": [["name": "c", "image": "i"]]]
        try await api.client.create(.pods, pod)
    }

    @Test(
        arguments: [
            ([], true), ([issuer], true), (["vault", issuer], true), (["vault"], false), ([issuer + "/"], false),
        ] as [([String], Bool)])
    func theServerTakesItsOwnTokensOnly(_ audiences: [String], _ isAccepted: Bool) async throws {
        try await TestServer.run { api in
            try await Self.prepare(api)
            var headers = HTTPFields()
            headers[.authorization] = "Bearer \(try await Self.token(api, audiences))"
            let pipeline = api.server.pipeline
            guard !isAccepted else {
                let user = try pipeline.user(headers: headers, certificate: nil)
                #expect(user.name == "system:serviceaccount:default:bob")
                return
            }
            let error = #expect(throws: Status.self) { try pipeline.user(headers: headers, certificate: nil) }
            #expect(error?.code == 401)
        }
    }

    @Test(
        arguments: [
            ([], [], [issuer]), ([], ["vault"], nil), (["vault"], [], nil), (["vault"], ["vault"], ["vault"]),
            (["vault", issuer], ["other", "vault"], ["vault"]),
            (["vault", "other"], ["other", "vault"], ["vault", "other"]),
        ] as [([String], [String], [String]?)])
    func reviewsTellForWhomATokenIs(_ audiences: [String], _ wanted: [String], _ found: [String]?) async throws {
        try await TestServer.run { api in
            try await Self.prepare(api)
            let token = try await Self.token(api, audiences)
            let review: JSON = ["spec": ["token": .string(token), "audiences": JSON(wanted)]]
            let (code, json) = try await api.send(.post, Self.reviews, review)
            let status = json["status"]
            #expect(code == 201)
            #expect(status["audiences"].strings == found ?? [])
            #expect(status["authenticated"].bool ?? false == (found != nil))
            guard found == nil else { return }
            let (has, wants) = (audiences.isEmpty ? Self.issuer : "vault", wanted.isEmpty ? Self.issuer : "vault")
            #expect(
                status["error"].string
                    == "[invalid bearer token, token audiences [\"\(has)\"] is invalid for the target audiences "
                    + "[\"\(wants)\"]]")
            #expect(status["user"]["username"].isNull)
        }
    }

    @Test func reviewsTellWhoseATokenIs() async throws {
        try await TestServer.run { api in
            try await Self.prepare(api)
            let review: JSON = ["spec": ["token": .string(try await Self.token(api, [], pod: true))]]
            let user = try await api.send(.post, Self.reviews, review).json["status"]["user"]
            let account = try await api.client.get(.serviceAccounts, namespace: "default", name: "bob")
            let pod = try await api.client.get(.pods, namespace: "default", name: "p")
            let node = try await api.client.get(.nodes, namespace: nil, name: "n")
            #expect(user["username"] == "system:serviceaccount:default:bob")
            #expect(user["uid"] == .string(account.uid))
            #expect(
                user["groups"].strings == [
                    "system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated",
                ])
            let prefix = "authentication.kubernetes.io/"
            #expect(user["extra"]["\(prefix)credential-id"][0].string?.hasPrefix("JTI=") == true)
            for (key, value) in [("pod-name", "p"), ("pod-uid", pod.uid), ("node-name", "n"), ("node-uid", node.uid)] {
                #expect(user["extra"][prefix + key] == [.string(value)], "\(key)")
            }
            // A token ends with what it is bound to.
            try await api.client.delete(
                .pods, namespace: "default", name: "p", options: DeleteOptions(gracePeriodSeconds: 0))
            let status = try await api.send(.post, Self.reviews, review).json["status"]
            #expect(status["authenticated"].bool != true)
            #expect(
                status["error"] == "[invalid bearer token, service account token has been invalidated]", "\(status)")
        }
    }

    @Test(arguments: [("", 400), ("x", 201), ("a.b.c", 201)])
    func whatIsNoTokenIsNobodys(_ token: String, _ code: Int) async throws {
        try await TestServer.run { api in
            let answer = try await api.send(.post, Self.reviews, ["spec": ["token": .string(token)]])
            #expect(answer.code == code)
            if code == 400 {
                #expect(answer.json["message"] == "token is required for TokenReview in authentication")
            } else {
                #expect(answer.json["status"]["error"] == "invalid bearer token")
            }
        }
    }
}
