import Addresses
import KubernetesModel
import Linux

/// The files that the node mounts into every container: hosts, hostname, resolver.
struct PodFiles: Sendable {
    let pod: Object
    let nodeName: String
    let address: String
    let dnsAddress: String
    let clusterDomain: String

    /// Writes them. It blocks.
    func write(to paths: PodPaths) throws(SystemError) {
        try makeDirectory(paths.directory)
        try replaceFile(paths.hosts, Array(hosts(host: (try? readFile("/etc/hosts")) ?? "").utf8), mode: 0o644)
        let name = systemHostname(of: pod, nodeName: nodeName, clusterDomain: clusterDomain)
        try replaceFile(paths.hostname, Array((name + "\n").utf8), mode: 0o644)
        try replaceFile(
            paths.resolver, Array(resolver(host: (try? readFile("/etc/resolv.conf")) ?? "").utf8), mode: 0o644)
    }

    /// - Parameter host: the machine's own file, for `hostNetwork`.
    func hosts(host: String) -> String {
        var text =
            pod.spec["hostNetwork"].bool == true
            ? "# Kubernetes-managed hosts file (host network).\n\(host)" : ownHosts
        let aliases = pod.spec["hostAliases"].items
        if !aliases.isEmpty { text += "\n# Entries added by HostAliases.\n" }
        for alias in aliases {
            text += "\(alias["ip"].string ?? "")\t\(alias["hostnames"].strings.joined(separator: "\t"))\n"
        }
        return text
    }

    private var ownHosts: String {
        let text = """
            # Kubernetes-managed hosts file.
            127.0.0.1\tlocalhost
            ::1\tlocalhost ip6-localhost ip6-loopback
            fe00::0\tip6-localnet
            fe00::0\tip6-mcastprefix
            fe00::1\tip6-allnodes
            fe00::2\tip6-allrouters

            """
        let host = hostname(of: pod)
        let full = fullName(of: pod, clusterDomain: clusterDomain)
        return text + (full == host ? "\(address)\t\(host)\n" : "\(address)\t\(full)\t\(host)\n")
    }

    /// Whether pods reach a name server of the machine.
    private func isReachable(_ server: String) -> Bool {
        guard let address = IPAddress(server) else { return false }
        return address.isIPv4 && !address.isLoopback && !address.isLinkLocal
    }

    /// - Parameter host: the machine's own `resolv.conf`, for `dnsPolicy: Default`.
    func resolver(host: String) -> String {
        var policy = pod.spec["dnsPolicy"].string ?? "ClusterFirst"
        if policy == "ClusterFirst", pod.spec["hostNetwork"].bool == true { policy = "Default" }
        var servers: [String] = []
        var search: [String] = []
        var options: [String] = []
        switch policy {
        case "None": break
        case "Default":
            for line in host.split(separator: "\n") {
                let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
                switch words.first {
                case "nameserver":
                    // One that only the machine itself reaches is asked by way of the cluster's.
                    for server in words.dropFirst().map({ isReachable($0) ? $0 : dnsAddress })
                    where !servers.contains(server) { servers.append(server) }
                case "search", "domain": search = Array(words.dropFirst())
                case "options": options += words.dropFirst()
                default: break
                }
            }
        default:
            servers = [dnsAddress]
            search = ["\(pod.namespace).svc.\(clusterDomain)", "svc.\(clusterDomain)", clusterDomain]
            options = ["ndots:5"]
        }
        let configuration = pod.spec["dnsConfig"]
        servers += configuration["nameservers"].strings.filter { !servers.contains($0) }
        search += configuration["searches"].strings.filter { !search.contains($0) }
        for option in configuration["options"].items {
            guard let name = option["name"].string else { continue }
            options.removeAll { $0 == name || $0.hasPrefix(name + ":") }
            options.append(option["value"].string.map { "\(name):\($0)" } ?? name)
        }
        var text = ""
        if !search.isEmpty { text += "search \(search.joined(separator: " "))\n" }
        for server in servers { text += "nameserver \(server)\n" }
        if !options.isEmpty { text += "options \(options.joined(separator: " "))\n" }
        return text
    }
}
