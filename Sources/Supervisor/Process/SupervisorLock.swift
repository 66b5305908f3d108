import Glibc

/// Held by a cluster's one supervisor for as long as it lives.
struct SupervisorLock {
    private let descriptor: Int32

    init(_ paths: ClusterPaths) throws(SupervisorError) {
        try Files.makeFolder(paths.runtime)
        descriptor = open(paths.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .file(
                path: paths.lock, problem: "cannot open it: \(String(cString: strerror(errno)))",
                remedy: "make it writable for this user")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .failed("another supervisor runs cluster \"\(paths.profile)\" already")
        }
    }

    func release() { close(descriptor) }
}

/// This cluster's claim on 127.<octet>.0.0/16 for its LoadBalancer Services, so that clusters side by side do not
/// meet there. The kernel drops it with the process.
struct AddressClaim {
    let octet: Int
    private let descriptor: Int32

    /// The octets that clusters take: 127.0 and its neighbours stay the host's own.
    static let octets = 16...250

    init(preferring preferred: Int) throws(SupervisorError) {
        for candidate in [preferred] + Array(Self.octets) {
            if let descriptor = Self.claim(candidate) {
                octet = candidate
                self.descriptor = descriptor
                return
            }
        }
        throw .failed("all of 127.16.0.0 to 127.250.0.0 is taken by other clusters; delete one of them")
    }

    /// An abstract Unix socket belongs to the network namespace, so a name in it is claimed on the whole machine.
    private static func claim(_ octet: Int) -> Int32? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = [0] + Array("martlet-loadbalancer-127.\(octet)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let length = socklen_t((MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2) + name.count)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(descriptor, $0, length) }
        }
        guard result == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
