import Foundation
import TestSupport
import Testing

/// Every kind that the API serves can be created, read, listed, watched, updated, patched and deleted.
struct BuiltInKindsTests {
    @Test(.timeLimit(.minutes(3)))
    func everyKindLives() async throws {
        // One object of each kind.
        let samples = try String(
            contentsOfFile: Repository.root + "Tests/EndToEnd/kinds.jsonl", encoding: .utf8
        ).split(separator: "\n").joined(separator: ",")
        let all = #"{"apiVersion":"v1","kind":"List","items":[\#(samples)]}"#
        try await Cluster.running { cluster in
            let types = try await ServedType.all(of: cluster)
            let api = try await RawAPI(cluster)
            let start = try await api.revision()
            let watched = cluster.directory + "/watched"
            // Open until this scope ends.
            async let _ = api.request(
                types.map { ("\($0.path)?watch=true&resourceVersion=\(start)&timeoutSeconds=100", $0.name) },
                ["--no-buffer"], into: watched)

            let created = try await cluster.kubectl("create", "-f", "-", "-o", "name", input: all)
            #expect(created.split(separator: "\n").count == types.count, "each kind has its sample")
            try await Self.update(all, in: cluster)
            for type in ["json", "merge", "strategic"] {
                let annotations = #"{"metadata":{"annotations":{"\#(type)":"yes"}}}"#
                let operations = #"[{"op":"add","path":"/metadata/annotations/json","value":"yes"}]"#
                try await cluster.kubectl(
                    "patch", "-f", "-", "--type", type, "-p", type == "json" ? operations : annotations, input: all)
            }

            let wanted = ["json", "merge", "replaced", "strategic"]
            let list = types.map(\.name).joined(separator: ",")
            let listed = try Self.items(
                try await cluster.kubectl("get", list, "-A", "-l", "sample=yes", "-o", "json"))
            #expect(listed.count == types.count + 2, "the two events are in the lists of both of their APIs")
            for object in listed {
                #expect(Self.annotations(of: object).isSuperset(of: wanted), "\(object["kind"] ?? "")")
            }

            let collections = try await cluster.kubectl("api-resources", "--verbs=deletecollection", "-o", "name")
                .split(separator: "\n").map(String.init)
            // Kubernetes has none of Namespaces and Services.
            #expect(types.map(\.name).filter { !collections.contains($0) } == ["namespaces"])
            let emptied = try await api.request(
                types.filter { collections.contains($0.name) }.map {
                    ("\($0.path)?labelSelector=sample%3Dyes&gracePeriodSeconds=0", $0.name)
                }, ["--request", "DELETE", "--fail"], into: cluster.directory + "/emptied")
            #expect(emptied.status == 0, "\(emptied)")
            try await cluster.kubectl("delete", "namespace", "sample")
            try await eventually("nothing is left of any kind") {
                let left = try await cluster.kubectl("get", list, "-A", "-l", "sample=yes", "-o", "name")
                return left.isEmpty
            }

            for type in types {
                try await eventually("a watcher of \(type.name) has seen it come, change and go") {
                    let events = try Self.events(in: "\(watched)/\(type.name)")
                    let seen = events.filter { $0.type == "MODIFIED" }.map(\.annotations)
                    return events.first?.type == "ADDED" && events.last?.type == "DELETED"
                        && wanted.allSatisfy { wanted in seen.contains { $0.contains(wanted) } }
                }
            }
        }
    }

    /// Reads the objects and writes them back with a label and an annotation, by PUT.
    private static func update(_ all: String, in cluster: Cluster) async throws {
        // Controllers write too, so this may meet a conflict.
        try await eventually("all are replaced") {
            let read = try await cluster.kubectl("get", "-f", "-", "-o", "json", input: all)
            let items = try items(read).map { object in
                var (object, metadata) = (object, object["metadata"] as? [String: Any] ?? [:])
                metadata["labels"] = ["sample": "yes"]
                metadata["annotations"] = ["replaced": "yes"]
                object["metadata"] = metadata
                return object
            }
            let list: [String: Any] = ["apiVersion": "v1", "kind": "List", "items": items]
            let text = String(decoding: try JSONSerialization.data(withJSONObject: list), as: UTF8.self)
            try await cluster.kubectl("replace", "-f", "-", input: text)
            return true
        }
    }

    private static func items(_ list: String) throws -> [[String: Any]] {
        let object = try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [String: Any]
        return try #require(object?["items"] as? [[String: Any]])
    }

    private static func annotations(of object: [String: Any]) -> Set<String> {
        let metadata = object["metadata"] as? [String: Any]
        return Set((metadata?["annotations"] as? [String: String] ?? [:]).keys)
    }

    /// What a watch wrote about the sample. The cluster has objects of its own.
    private static func events(in file: String) throws -> [(type: String, annotations: Set<String>)] {
        try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            guard let event = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let type = event["type"] as? String, let object = event["object"] as? [String: Any],
                let name = (object["metadata"] as? [String: Any])?["name"] as? String,
                ["sample", "sample-2", "foos.x.io", "v1.y.io", "10.96.7.7"].contains(name)
            else { return nil }
            return (type, annotations(of: object))
        }
    }
}

/// A kind that can be created, as `kubectl api-resources` shows it.
private struct ServedType {
    /// The plural with its group, such as `deployments.apps`.
    let name: String
    /// Of its collection; in the namespace `default` where it has namespaces.
    let path: String

    static func all(of cluster: Cluster) async throws -> [ServedType] {
        let table = try await cluster.kubectl("api-resources", "--verbs=create,list", "--no-headers")
        return table.split(separator: "\n").compactMap { line in
            // A type may have no short name.
            let columns = line.split(separator: " ")
            guard let plural = columns.first, columns.count >= 4 else { return nil }
            let (version, namespaced) = (columns[columns.count - 3], columns[columns.count - 2] == "true")
            let parts = version.split(separator: "/")
            return ServedType(
                name: parts.count == 1 ? String(plural) : "\(plural).\(parts[0])",
                path: (parts.count == 1 ? "/api/" : "/apis/") + version + (namespaced ? "/namespaces/default/" : "/")
                    + plural)
        }
    }
}

/// The API by curl, with the client certificate of the kubeconfig.
private struct RawAPI {
    let cluster: Cluster
    private let options: [String]
    private let server: String

    init(_ cluster: Cluster) async throws {
        self.cluster = cluster
        func config(_ path: String) async throws -> String {
            try await cluster.kubectl("config", "view", "--raw", "--minify", "-o", "jsonpath={\(path)}")
        }
        server = try await config(".clusters[0].cluster.server")
        var options: [String] = []
        for (option, path) in [
            ("--cert", ".users[0].user.client-certificate-data"), ("--key", ".users[0].user.client-key-data"),
            ("--cacert", ".clusters[0].cluster.certificate-authority-data"),
        ] {
            let file = cluster.directory + "/client" + option
            let content = try #require(Data(base64Encoded: try await config(path)), "\(path)")
            try content.write(to: URL(filePath: file))
            options += [option, file]
        }
        self.options = options
    }

    /// The revision that the API is at.
    func revision() async throws -> String {
        let list = try await cluster.kubectl("get", "--raw", "/api/v1/namespaces?limit=1")
        return try #require(list.firstMatch(of: /"resourceVersion": ?"(\d+)"/).map { String($0.1) })
    }

    /// Sends all requests at a time; each answer goes to a file of its name.
    func request(
        _ requests: [(path: String, name: String)], _ arguments: [String], into directory: String
    ) async throws -> CommandResult {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let files = requests.map { "url = \"\(server)\($0.path)\"\noutput = \"\(directory)/\($0.name)\"\n" }
        return try await cluster.shell.attempt(
            "curl", ["-sS", "--parallel", "--parallel-max", "100", "--config", "-"] + options + arguments,
            input: files.joined())
    }
}
