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
}

@Suite struct ProtobufTests {
    /// A ConfigMap as kubectl 1.33 sends it: an envelope around `metadata.name` and one entry of `data`.
    @Test func anObjectIsDecodedByItsFieldsNumbers() throws {
        func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }
        func text(_ number: UInt8, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }
        let object = field(1, text(1, "c") + text(2, "")) + field(2, text(1, "k") + text(2, "v"))
        let body = Array("k8s\0".utf8) + field(1, text(1, "v1") + text(2, "ConfigMap")) + field(2, object)
        #expect(
            try ProtobufDecoding.decode(body)
                == ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "c"], "data": ["k": "v"]])
        #expect(throws: Status.self) { try ProtobufDecoding.decode(Array(body.dropLast(3))) }
        #expect(throws: Status.self) { try ProtobufDecoding.decode(Array("{}".utf8)) }
    }
}
