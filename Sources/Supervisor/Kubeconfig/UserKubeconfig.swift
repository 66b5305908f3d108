import Glibc
import KubernetesModel

/// The user's own kubeconfig, into which a cluster's context is merged and from which it is taken out again.
///
/// Everything else in it stays: other entries, their order, fields that Martlet does not know. Comments are lost, as
/// with `kubectl config`.
public struct UserKubeconfig: Sendable {
    public let path: String

    /// The file that `kubectl config` would write: the first of `KUBECONFIG`, else `~/.kube/config`.
    public init() {
        let listed = getenv("KUBECONFIG").map { String(cString: $0).split(separator: ":").map(String.init) } ?? []
        if let first = listed.first {
            path = first
        } else {
            let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
            path = "\(home)/.kube/config"
        }
    }

    public init(path: String) { self.path = path }

    /// The extension of a context's entry that keeps which context was the current one before.
    private static let mark = "martlet.dev"

    private static func previousContext(of name: String, in config: JSON) -> String? {
        let entry = config["contexts"].items.first { $0["name"].string == name } ?? .null
        let kept = entry["context"]["extensions"].items.first { $0["name"].string == Self.mark } ?? .null
        return kept["extension"]["previous-context"].string
    }

    private static func context(_ entry: JSON, after previous: String?) -> JSON {
        guard let previous else { return entry }
        var entry = entry
        let kept: JSON = ["name": .string(mark), "extension": ["previous-context": .string(previous)]]
        entry["context"]["extensions"] = [kept]
        return entry
    }

    /// Adds or replaces the entries of `document` (one cluster's kubeconfig) and makes its context the current one.
    public func merge(_ document: JSON) throws {
        try change { existing in
            var result = existing
            let name = document["current-context"].string ?? ""
            let current = existing["current-context"].string ?? ""
            let isOther = !current.isEmpty && current != name
            let previous = isOther ? current : Self.previousContext(of: name, in: existing)
            if result["apiVersion"].isNull { result["apiVersion"] = "v1" }
            if result["kind"].isNull { result["kind"] = "Config" }
            for list in ["clusters", "contexts", "users"] {
                var entries = result[list].items
                for given in document[list].items {
                    let entry = list == "contexts" ? Self.context(given, after: previous) : given
                    if let place = entries.firstIndex(where: { $0["name"] == entry["name"] }) {
                        entries[place] = entry
                    } else {
                        entries.append(entry)
                    }
                }
                result[list] = .array(entries)
            }
            result["current-context"] = document["current-context"]
            return result
        }
    }

    /// Takes out the cluster, user and context called `name`. Where that context is the current one, the one that was
    /// before it is again, if it is still there; else there is none.
    public func remove(_ name: String) throws {
        try change { existing in
            guard existing.object != nil else { return nil }
            var result = existing
            for list in ["clusters", "contexts", "users"] {
                result[list] = .array(existing[list].items.filter { $0["name"].string != name })
            }
            if existing["current-context"].string == name {
                let previous = Self.previousContext(of: name, in: existing)
                let isThere = result["contexts"].items.contains { $0["name"].string == previous }
                result["current-context"] = .string(isThere ? previous ?? "" : "")
            }
            return result == existing ? nil : result
        }
    }

    private func change(_ body: (JSON) -> JSON?) throws {
        // kubectl holds the same lock while it writes.
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        let lock = path + ".lock"
        let existed = try Files.read(path)
        if existed == nil, body(.null) == nil { return }
        if !folder.isEmpty, path.hasPrefix("/") { try Files.makeFolder("/" + folder) }
        var descriptor: Int32 = -1
        for _ in 0..<200 {
            descriptor = open(lock, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            if descriptor >= 0 || errno != EEXIST { break }
            usleep(10_000)
        }
        guard descriptor >= 0 else {
            throw SupervisorError.file(
                path: lock, problem: "cannot lock the kubeconfig: \(String(cString: strerror(errno)))",
                remedy: "if no kubectl is writing it, remove that file; or name another one in KUBECONFIG")
        }
        close(descriptor)
        defer { unlink(lock) }
        let existing: JSON
        do {
            existing = try Files.text(path).map { try JSON(yaml: $0) } ?? .null
        } catch let error as SupervisorError {
            throw error
        } catch {
            throw SupervisorError.file(
                path: path, problem: "the kubeconfig is no YAML: \(error)",
                remedy: "mend it, or name another file in KUBECONFIG")
        }
        guard existing.isNull || existing.object != nil else {
            throw SupervisorError.file(
                path: path, problem: "the kubeconfig is no mapping",
                remedy: "mend it, or name another file in KUBECONFIG")
        }
        guard let result = body(existing) else { return }
        try Files.write(Array(try result.yaml.utf8), to: path)
    }
}
