import Addresses
import ClusterLayout
import Glibc
import KubernetesModel

/// What a cluster is, as its state directory keeps it between runs (`cluster.json`).
public struct ClusterConfiguration: Sendable, Hashable {
    public struct NodeEntry: Sendable, Hashable {
        public var name: String
        /// From 1; gives the node its addresses. Never used again while the cluster lives.
        public var index: Int
        public var shape: NodeShape
        /// Stopped by `node stop`: it exists, but its agent does not run.
        public var stopped = false
    }

    public var nodes: [NodeEntry]
    /// Where the API listens on 127.0.0.1.
    public var apiPort: Int
    /// LoadBalancer addresses are 127.<this>.0.0/16.
    public var loadBalancerOctet: Int
    /// The index that the next node gets.
    public var nextIndex: Int
    public var egress = EgressMode.internet
    /// The addresses of the machine at which the network reaches Services.
    public var listenAddresses: [String] = []
    /// nil for a cluster of an earlier version.
    public var created: Timestamp?
    /// When the cluster is to be deleted; nil for never.
    public var expires: Timestamp?

    /// Whether the cluster should be gone.
    var isExpired: Bool { expires.map { $0 <= .now } ?? false }

    public mutating func addNode(name: String? = nil, shape: NodeShape) throws(SupervisorError) -> NodeEntry {
        guard AddressPlan.nodeIndexes.contains(nextIndex) else {
            throw .usage(
                "a cluster has at most \(AddressPlan.nodeIndexes.count) nodes in its life; delete it and start anew")
        }
        let name = name ?? "node-\(nextIndex)"
        guard !nodes.contains(where: { $0.name == name }) else {
            throw .usage("node \"\(name)\" exists; choose another name, or see: martlet node list")
        }
        let letters = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        guard letters, (1...40).contains(name.utf8.count), !name.hasPrefix("-"), !name.hasSuffix("-") else {
            throw .usage("node name \"\(name)\": use 1 to 40 lower-case letters, digits and inner dashes")
        }
        let entry = NodeEntry(name: name, index: nextIndex, shape: shape)
        nextIndex += 1
        nodes.append(entry)
        return entry
    }

    var json: JSON {
        var json: JSON = [
            "apiPort": JSON(apiPort), "egress": .string(egress.rawValue),
            "listenAddresses": .array(listenAddresses.map(JSON.string)), "loadBalancerOctet": JSON(loadBalancerOctet),
            "nextIndex": JSON(nextIndex),
            "nodes": .array(
                nodes.map {
                    [
                        "name": .string($0.name), "index": JSON($0.index), "shape": $0.shape.json,
                        "stopped": .bool($0.stopped),
                    ]
                }),
        ]
        if let created { json["created"] = .string(created.description) }
        if let expires { json["expires"] = .string(expires.description) }
        return json
    }

    /// Reads a cluster's configuration; nil where there is no such file.
    public static func load(_ path: String) throws(SupervisorError) -> ClusterConfiguration? {
        guard let bytes = try Files.read(path) else { return nil }
        func damaged(_ field: String, _ problem: String) -> SupervisorError {
            .file(
                path: path, problem: "the cluster's configuration is damaged: \(field) \(problem)",
                remedy: "restore the file, or remove the cluster with: martlet delete")
        }
        let json: JSON
        do { json = try JSON(decoding: bytes) } catch { throw damaged("the file", "is no JSON (\(error))") }
        guard let apiPort = json["apiPort"].int else { throw damaged("apiPort", "is missing") }
        guard let octet = json["loadBalancerOctet"].int else { throw damaged("loadBalancerOctet", "is missing") }
        guard let nextIndex = json["nextIndex"].int else { throw damaged("nextIndex", "is missing") }
        guard (1...65_535).contains(apiPort) else { throw damaged("apiPort", "is no port: \(apiPort)") }
        guard AddressPlan.loadBalancerOctets.contains(octet) else {
            throw damaged("loadBalancerOctet", "is not from \(AddressPlan.loadBalancerOctets): \(octet)")
        }
        guard !json["nodes"].items.isEmpty else { throw damaged("nodes", "is missing or empty") }
        var nodes: [NodeEntry] = []
        for (position, node) in json["nodes"].items.enumerated() {
            guard let name = node["name"].string, let index = node["index"].int,
                AddressPlan.nodeIndexes.contains(index)
            else {
                throw damaged(
                    "nodes[\(position)]", "has no name or no index from 1 to \(AddressPlan.nodeIndexes.count)")
            }
            do {
                let shape = try NodeShape(node["shape"], file: path)
                nodes.append(
                    NodeEntry(name: name, index: index, shape: shape, stopped: node["stopped"].bool ?? false))
            } catch { throw damaged("nodes[\(position)].shape", error.description) }
        }
        var configuration = ClusterConfiguration(
            nodes: nodes, apiPort: apiPort, loadBalancerOctet: octet, nextIndex: nextIndex)
        // Clusters of earlier versions have none of these.
        if !json["egress"].isNull {
            guard let mode = json["egress"].string.flatMap(EgressMode.init) else {
                throw damaged("egress", "is not one of \(EgressMode.names): \(json["egress"])")
            }
            configuration.egress = mode
        }
        for (position, address) in json["listenAddresses"].items.enumerated() {
            guard let text = address.string, ListenAddress.isPossible(text) else {
                throw damaged("listenAddresses[\(position)]", "is no address to listen at: \(address)")
            }
            configuration.listenAddresses.append(text)
        }
        func moment(_ field: String) throws(SupervisorError) -> Timestamp? {
            if json[field].isNull { return nil }
            guard let moment = json[field].string.flatMap({ Timestamp($0) }) else {
                throw damaged(field, "is no time: \(json[field])")
            }
            return moment
        }
        configuration.created = try moment("created")
        configuration.expires = try moment("expires")
        return configuration
    }

    public func save(_ path: String) throws(SupervisorError) {
        try Files.write(json.encoded(sorted: true), to: path)
    }
}
