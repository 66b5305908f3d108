import Crypto
import FoundationEssentials
import SwiftASN1
import X509

/// The cluster's own certificate authority, and what it signs.
///
/// Keys are P-256. Certificates live as long as clusters do (ten years); a new cluster has a new authority.
struct CertificateAuthority {
    let certificate: Certificate
    let key: P256.Signing.PrivateKey

    /// A certificate and its key, as PEM.
    struct Issued {
        let certificate: String
        let key: String
    }

    /// Makes a new authority.
    init(name: String) throws {
        let key = P256.Signing.PrivateKey()
        self.key = key
        let subject = try DistinguishedName { CommonName(name) }
        certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
            notValidBefore: Self.start, notValidAfter: Self.end, issuer: subject, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
            },
            issuerPrivateKey: .init(key))
    }

    /// Reads an authority from its PEM files' text.
    init(certificate: String, key: String) throws {
        self.certificate = try Certificate(pemEncoded: certificate)
        self.key = try P256.Signing.PrivateKey(pemRepresentation: key)
    }

    var pem: Issued {
        get throws { Issued(certificate: try certificate.serializeAsPEM().pemString, key: key.pemRepresentation) }
    }

    /// A client certificate: its common name is the user, its organizations are the groups.
    func client(user: String, groups: [String]) throws -> Issued {
        let subject = try DistinguishedName {
            for group in groups { OrganizationName(group) }
            CommonName(user)
        }
        return try issue(subject, usage: .clientAuth, names: nil)
    }

    /// A server certificate for some DNS names and IPv4 addresses.
    func server(name: String, hosts: [String], addresses: [[UInt8]]) throws -> Issued {
        let names = SubjectAlternativeNames(
            hosts.map { .dnsName($0) } + addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) })
        return try issue(try DistinguishedName { CommonName(name) }, usage: .serverAuth, names: names)
    }

    private func issue(
        _ subject: DistinguishedName, usage: ExtendedKeyUsage.Usage, names: SubjectAlternativeNames?
    ) throws -> Issued {
        let own = P256.Signing.PrivateKey()
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(own.publicKey),
            notValidBefore: Self.start, notValidAfter: Self.end, issuer: certificate.subject, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([usage])
                if let names { names }
            },
            issuerPrivateKey: .init(key))
        return Issued(certificate: try certificate.serializeAsPEM().pemString, key: own.pemRepresentation)
    }

    // An hour back, for clients whose clock is a little behind.
    private static var start: Date { Date(timeIntervalSinceNow: -3600) }
    private static var end: Date { Date(timeIntervalSinceNow: 3650 * 86_400) }
}
