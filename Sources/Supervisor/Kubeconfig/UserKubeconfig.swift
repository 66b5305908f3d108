import Glibc
import KubernetesModel

/// The user's own kubeconfig, to which a cluster's entries are added and from which they are removed.
///
/// What is not this program's stays byte for byte, or the change is refused as a whole. An entry is this program's where
/// it carries the extension `martlet.dev`.
public struct UserKubeconfig: Sendable {
    /// The files that kubectl merges, those whose entries win first.
    public let paths: [String]

    /// The files of `KUBECONFIG`, else `~/.kube/config`.
    public init() {
        let listed = getenv("KUBECONFIG").map { String(cString: $0).split(separator: ":").map(String.init) } ?? []
        let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
        self.init(paths: listed.isEmpty ? ["\(home)/.kube/config"] : listed)
    }

    /// - Parameter paths: at least one.
    public init(paths: [String]) { self.paths = paths }

    /// Adds or replaces the entries of `document` (one cluster's kubeconfig) and makes its context the current one.
    ///
    /// - Throws: `SupervisorError` where an entry of that name is not this program's, or a file cannot be changed.
    public func merge(_ document: JSON) throws {
        let name = document["current-context"].string ?? ""
        try change { files in try Self.merge(document, named: name, into: &files, default: defaultPath) }
    }

    /// Whether a cluster's entries of this name could be merged now.
    ///
    /// - Throws: as `merge`.
    public func checkMerge(_ name: String) throws {
        let entry = KubeconfigEntry(name: name, server: "", authority: "", clientCertificate: "", clientKey: "")
        var files = try read()
        for path in try Self.merge(entry.document, named: name, into: &files, default: defaultPath) {
            try KubeconfigFile(path).checkWritable()
        }
    }

    /// Removes the cluster, user and context called `name`, where they are this program's. Where that context is the
    /// current one, the one that was before it is again, if it is still there; else there is none.
    public func remove(_ name: String) throws { try change { try Self.remove(name, from: &$0) } }

    /// Where kubectl adds entries: the first file that exists, else the last.
    private var defaultPath: String { paths.first { access($0, F_OK) == 0 } ?? paths[paths.count - 1] }

    private typealias Files = [(path: String, text: KubeconfigText)]

    private func read() throws -> Files {
        try paths.map { path in (path, try KubeconfigFile(path).read()) }
    }

    /// - Parameter body: changes texts and returns the paths of those that it changed.
    private func change(_ body: (inout Files) throws -> [String]) throws {
        var files = try read()
        let changed = try body(&files)
        var locks: [KubeconfigLock] = []
        defer { for lock in locks { lock.release() } }
        for path in changed { locks.append(try KubeconfigFile(path).lock()) }
        // Read again: the texts are nobody else's to change only now.
        files = try read()
        for path in try body(&files) {
            guard changed.contains(path), let file = files.first(where: { $0.path == path }) else {
                throw SupervisorError.file(
                    path: path, problem: "the kubeconfig was changed by another program meanwhile", remedy: "try again")
            }
            try KubeconfigFile(path).write(file.text.text)
        }
    }

    private static func merge(
        _ document: JSON, named name: String, into files: inout Files, default path: String
    ) throws -> [String] {
        let current = files.lazy.compactMap { $0.text.content["current-context"].string }.first { !$0.isEmpty } ?? ""
        let previous = current == name ? Self.previousContext(of: name, in: files) : current
        var changes: [String: [KubeconfigText.Change]] = [:]
        for list in KubeconfigEntry.lists {
            for entry in document[list.name].items {
                let holder = files.first { Self.entry(name, list.name, in: $0.text.content) != nil }
                if let holder, let existing = Self.entry(name, list.name, in: holder.text.content),
                    !KubeconfigEntry.isOurs(existing[list.key])
                {
                    throw SupervisorError.file(
                        path: holder.path,
                        problem: "the kubeconfig has an entry \"\(name)\" in \(list.name) that is not Martlet's",
                        remedy: "rename it, choose another --profile, or leave the file alone with --no-kubeconfig")
                }
                var ours = entry
                KubeconfigEntry.mark(&ours[list.key], previousContext: list.key == "context" ? previous : nil)
                changes[holder?.path ?? path, default: []].append(.set(ours, list: list.name))
            }
        }
        changes[path, default: []].append(.field("current-context", name))
        for index in files.indices where changes[files[index].path] != nil {
            for (key, value) in [("apiVersion", "v1"), ("kind", "Config")]
            where files[index].text.content[key].isNull {
                changes[files[index].path]?.insert(.field(key, value), at: 0)
            }
        }
        return try apply(changes, to: &files)
    }

    private static func remove(_ name: String, from files: inout Files) throws -> [String] {
        let previous = previousContext(of: name, in: files) ?? ""
        let isThere = files.contains { entry(previous, "contexts", in: $0.text.content) != nil }
        var changes: [String: [KubeconfigText.Change]] = [:]
        for file in files {
            for list in KubeconfigEntry.lists {
                guard let entry = entry(name, list.name, in: file.text.content),
                    KubeconfigEntry.isOurs(entry[list.key])
                else { continue }
                changes[file.path, default: []].append(.remove(name, list: list.name))
            }
        }
        guard !changes.isEmpty else { return [] }
        for file in files where file.text.content["current-context"].string == name {
            changes[file.path, default: []].append(.field("current-context", isThere ? previous : ""))
        }
        return try apply(changes, to: &files)
    }

    private static func apply(
        _ changes: [String: [KubeconfigText.Change]], to files: inout Files
    ) throws -> [String] {
        for index in files.indices {
            guard let changes = changes[files[index].path] else { continue }
            do throws(KubeconfigText.Refusal) {
                try files[index].text.edit(changes)
            } catch {
                throw SupervisorError.file(
                    path: files[index].path, problem: error.problem,
                    remedy: "name another file first in KUBECONFIG, or leave it alone: --no-kubeconfig with start, "
                        + "and the cluster's own from: martlet kubeconfig")
            }
        }
        return files.map(\.path).filter { changes[$0] != nil }
    }

    private static func entry(_ name: String, _ list: String, in content: JSON) -> JSON? {
        content[list].items.first { $0["name"].string == name }
    }

    private static func previousContext(of name: String, in files: Files) -> String? {
        files.lazy.compactMap { entry(name, "contexts", in: $0.text.content) }.first
            .flatMap { KubeconfigEntry.previousContext(of: $0["context"]) }
    }
}
