import NIOSSL
import SwiftASN1
import X509

/// A client certificate that the cluster's authority signed, and the user whom it names.
struct ClientCertificate: Sendable {
    /// The certificate's common name, in the groups of its organizations.
    let user: User
    let der: [UInt8]

    /// Nil where there is no certificate, or it names nobody.
    init?(_ certificate: NIOSSLCertificate?) {
        guard let der = try? certificate?.toDERBytes(), let parsed = try? Certificate(derEncoded: der) else {
            return nil
        }
        var name = ""
        var groups: [String] = []
        for attribute in parsed.subject.lazy.joined() {
            guard let value = String(attribute.value) else { continue }
            if attribute.type == .RDNAttributeType.commonName { name = value }
            if attribute.type == .RDNAttributeType.organizationName { groups.append(value) }
        }
        guard !name.isEmpty else { return nil }
        self.init(user: User(name: name, groups: groups + ["system:authenticated"]), der: der)
    }

    init(user: User, der: [UInt8]) {
        self.user = user
        self.der = der
    }

    /// The name of the node whose certificate it is.
    var node: String? {
        guard user.groups.contains("system:nodes"), user.name.hasPrefix("system:node:") else { return nil }
        return String(user.name.dropFirst("system:node:".count))
    }
}
