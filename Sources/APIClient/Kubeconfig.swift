import FoundationEssentials
import Glibc
import KubernetesModel

/// Where a cluster's API is and who asks, as one context of a kubeconfig says.
public struct Kubeconfig: Sendable {
    public enum Credentials: Sendable {
        case none
        /// PEM.
        case certificate(chain: [UInt8], key: [UInt8])
        case token(String)
        case password(user: String, password: String)
    }

    public var context: String
    /// `https://127.0.0.1:6443`, without a slash at its end.
    public var server: String
    /// PEM; nil for the system's own authorities.
    public var authority: [UInt8]?
    public var isInsecure: Bool
    public var credentials: Credentials
    /// The namespace of requests that name none.
    public var namespace: String

    /// Reads the file at `path`.
    ///
    /// - Parameter context: nil for the file's current one.
    public init(path: String, context: String? = nil) throws(KubeconfigError) {
        try self.init(files: [path], context: context, mayBeAbsent: false)
    }

    /// Reads what `kubectl` would: the files that `KUBECONFIG` lists, or `~/.kube/config`.
    public init(environment: [String: String], context: String? = nil) throws(KubeconfigError) {
        let listed = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
        let files = listed.isEmpty ? [(environment["HOME"] ?? "") + "/.kube/config"] : listed
        try self.init(files: files, context: context, mayBeAbsent: true)
    }

    private init(files: [String], context: String?, mayBeAbsent: Bool) throws(KubeconfigError) {
        var merged = Entries()
        for file in files {
            // As kubectl does: a listed file that is not there is passed over.
            if mayBeAbsent, access(file, F_OK) != 0 { continue }
            merged.add(try Self.document(file), of: file)
        }
        let all = files.joined(separator: ":")
        guard let name = context ?? merged.currentContext, !name.isEmpty else {
            throw KubeconfigError(file: all, problem: "no current context", remedy: "set one, or name a context")
        }
        guard let chosen = merged["contexts", name] else {
            throw KubeconfigError(file: all, problem: "no context \"\(name)\"", remedy: "name one that is there")
        }
        let clusterName = chosen.value["cluster"].string ?? ""
        guard let cluster = merged["clusters", clusterName], let server = cluster.value["server"].string else {
            throw KubeconfigError(
                file: chosen.file, problem: "context \"\(name)\" has no cluster with a server", remedy: "add it")
        }
        self.context = name
        self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
        namespace = chosen.value["namespace"].string ?? "default"
        isInsecure = cluster.value["insecure-skip-tls-verify"].bool ?? false
        authority = try cluster.bytes("certificate-authority")
        credentials = try merged["users", chosen.value["user"].string ?? ""]?.credentials() ?? .none
    }

    fileprivate static func document(_ file: String) throws(KubeconfigError) -> JSON {
        let bytes = try bytes(file)
        do {
            return try JSON(yaml: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw KubeconfigError(file: file, problem: "not YAML: \(error)", remedy: "correct or replace it")
        }
    }

    fileprivate static func bytes(_ file: String) throws(KubeconfigError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw KubeconfigError(
                file: file, problem: "cannot be read: \(String(cString: strerror(errno)))",
                remedy: "see that it is there and readable")
        }
        return [UInt8](data)
    }
}

/// Why a kubeconfig cannot be used.
public struct KubeconfigError: Error, Sendable, CustomStringConvertible {
    public let file: String
    public let problem: String
    public let remedy: String

    public var description: String { "\(file): \(problem); \(remedy)" }
}

/// The entries of one or more files. Of two with one name the first counts.
private struct Entries {
    struct Entry {
        let file: String
        let value: JSON
    }

    private static let lists = ["clusters": "cluster", "users": "user", "contexts": "context"]

    private(set) var currentContext: String?
    private var entries: [String: [String: Entry]] = [:]

    subscript(list: String, name: String) -> Entry? { entries[list]?[name] }

    mutating func add(_ document: JSON, of file: String) {
        if currentContext?.isEmpty ?? true { currentContext = document["current-context"].string }
        for (list, member) in Self.lists {
            for item in document[list].items {
                guard let name = item["name"].string, entries[list]?[name] == nil else { continue }
                entries[list, default: [:]][name] = Entry(file: file, value: item[member])
            }
        }
    }
}

extension Entries.Entry {
    /// The bytes under `field` plus `-data`, in base64, or else of the file that `field` names.
    func bytes(_ field: String) throws(KubeconfigError) -> [UInt8]? {
        if let text = value["\(field)-data"].string, !text.isEmpty {
            guard let data = Data(base64Encoded: text) else {
                throw KubeconfigError(file: file, problem: "\(field)-data is not base64", remedy: "correct it")
            }
            return [UInt8](data)
        }
        guard let path = value[field].string, !path.isEmpty else { return nil }
        return try Kubeconfig.bytes(resolve(path))
    }

    /// A path is relative to the directory of its kubeconfig.
    private func resolve(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    func credentials() throws(KubeconfigError) -> Kubeconfig.Credentials {
        if let chain = try bytes("client-certificate"), let key = try bytes("client-key") {
            return .certificate(chain: chain, key: key)
        }
        if let token = value["token"].string, !token.isEmpty { return .token(token) }
        if let path = value["tokenFile"].string {
            let text = String(decoding: try Kubeconfig.bytes(resolve(path)), as: UTF8.self)
            return .token(String(text.filter { !$0.isWhitespace }))
        }
        if let user = value["username"].string, let password = value["password"].string {
            return .password(user: user, password: password)
        }
        for unsupported in ["exec", "auth-provider"] where !value[unsupported].isNull {
            throw KubeconfigError(
                file: file, problem: "a user's credentials come from \"\(unsupported)\", which is not supported",
                remedy: "give it a client certificate or a token")
        }
        return .none
    }
}
