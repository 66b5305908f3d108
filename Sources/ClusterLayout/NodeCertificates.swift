import Glibc
import KubernetesModel
import Linux
import Synchronization

/// Which certificate each node has now: the one of its kubeconfig, which the supervisor writes when a node is added and
/// removes with it. One of a node that is gone, or that was there before under the same name, is nobody's any more,
/// though the authority signed it for as long as clusters live.
package final class NodeCertificates: Sendable {
    private struct Entry {
        let version: Version
        let certificate: [UInt8]?
    }

    /// Tells a file from one that has taken its place.
    private struct Version: Equatable {
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
    }

    private let pki: PKIPaths
    // Read with each request of a node; the file is looked at, and read where it has changed.
    private let known = Mutex<[String: Entry]>([:])

    package init(pki: PKIPaths) { self.pki = pki }

    package func isCurrent(_ certificate: [UInt8], of node: String) -> Bool {
        // The name is the certificate's, and becomes a part of a path.
        guard !node.isEmpty, Names.subdomain(node).isEmpty else { return false }
        let path = pki.kubeconfig("node-\(node)")
        return known.withLock { known in
            guard let version = Self.version(path) else {
                known[node] = nil
                return false
            }
            if let entry = known[node], entry.version == version { return entry.certificate == certificate }
            let current = Self.certificate(path)
            known[node] = Entry(version: version, certificate: current)
            return current == certificate
        }
    }

    private static func version(_ path: String) -> Version? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Version(
            inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec)
    }

    /// The certificate of a kubeconfig's user, without its PEM armour.
    package static func certificate(_ path: String) -> [UInt8]? {
        guard let text = try? readFile(path), let document = try? JSON(yaml: text),
            let data = document["users"][0]["user"]["client-certificate-data"].string,
            let pem = Base64.decode(data)
        else { return nil }
        let lines = String(decoding: pem, as: UTF8.self).split(whereSeparator: \.isNewline)
        return Base64.decode(lines.filter { !$0.hasPrefix("-") }.joined())
    }
}
