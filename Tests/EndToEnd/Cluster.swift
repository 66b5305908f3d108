import Foundation
import TestSupport
import Testing

/// A cluster of a test's own: directories, profile and kubeconfig that no other test has.
struct Cluster: Sendable {
    let profile: String
    let directory: String
    let shell: Shell

    /// Runs `body` with a cluster's place prepared but nothing started; removes all that is left after it.
    static func prepared<Value>(_ body: (Cluster) async throws -> Value) async throws -> Value {
        let profile = "t" + UUID().uuidString.prefix(8).lowercased()
        let directory = "/tmp/mt-\(profile)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let shell = Shell(environment: [
            "MARTLET_STATE_HOME": directory + "/s", "MARTLET_RUNTIME_DIR": directory + "/r",
            "KUBECONFIG": directory + "/kubeconfig",
            "HOME": directory,
        ])
        let cluster = Cluster(profile: profile, directory: directory, shell: shell)
        do {
            let value = try await body(cluster)
            try await cluster.remove()
            return value
        } catch {
            if ProcessInfo.processInfo.environment["MARTLET_KEEP_FAILED"] == nil {
                // A task of its own: a test whose time is up is cancelled, and could run no more commands.
                try? await Task { try await cluster.remove() }.value
            }
            throw error
        }
    }

    /// Runs `body` with a cluster that is Ready.
    static func running<Value>(
        nodes: Int = 1, options: [String] = [], _ body: (Cluster) async throws -> Value
    ) async throws -> Value {
        try await prepared { cluster in
            try await cluster.shell.run(
                Repository.martlet, ["start", "--nodes", "\(nodes)", "--profile", cluster.profile] + options)
            return try await body(cluster)
        }
    }

    @discardableResult
    func martlet(_ arguments: String...) async throws -> String {
        try await shell.run(Repository.martlet, arguments + ["--profile", profile])
    }

    func attemptMartlet(_ arguments: String...) async throws -> CommandResult {
        try await shell.attempt(Repository.martlet, arguments + ["--profile", profile])
    }

    @discardableResult
    func kubectl(_ arguments: String..., input: String = "") async throws -> String {
        try await shell.run("kubectl", arguments, input: input).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func attemptKubectl(_ arguments: String..., input: String = "") async throws -> CommandResult {
        try await shell.attempt("kubectl", arguments, input: input)
    }

    /// Applies a manifest given as text.
    func apply(_ manifest: String) async throws { try await kubectl("apply", "-f", "-", input: manifest) }

    /// Gives the cluster the example images, which `make test` has built.
    func useExampleImages() throws {
        let built = Repository.root + ".build/test-images/images"
        try #require(
            FileManager.default.fileExists(atPath: built), "the example images are missing; run: make test-images")
        try FileManager.default.createDirectory(atPath: directory + "/s", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: directory + "/s/images", withDestinationPath: built)
    }

    /// The address that a LoadBalancer Service has got.
    func address(ofService name: String) async throws -> String {
        try await eventually("service \(name) has an address") {
            let text = try await kubectl(
                "get", "service", name, "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
            return text.isEmpty ? nil : text
        }
    }

    var state: String { directory + "/s/" + profile }
    var runtime: String { directory + "/r/" + profile }

    /// Processes of the project that belong to this cluster, by their command line or their directory.
    func processes() throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init).filter { pid in
            guard let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ"),
                let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline")
            else { return false }
            let text = String(decoding: line + [0] + environment, as: UTF8.self)
            return text.contains(directory) && text.contains("martlet") && pid != getpid()
        }
    }

    /// The pid in a component's pid file.
    func pid(of component: String) throws -> Int32 {
        let text = try String(contentsOfFile: "\(runtime)/\(component).pid", encoding: .utf8)
        return try #require(text.split(separator: " ").first.flatMap { Int32($0) })
    }

    /// Expects no process, mount, link, control group or file of a cluster that has been deleted.
    func expectNothingLeft() async throws {
        #expect(try processes().isEmpty, "processes of the cluster are left")
        #expect(!FileManager.default.fileExists(atPath: state), "the state directory is left")
        #expect(!FileManager.default.fileExists(atPath: runtime), "the runtime directory is left")
        let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
        #expect(!mounts.contains(directory), "mounts of the cluster are left in the host's namespace")
        #expect(try Cgroups.directories(containing: profile).isEmpty, "control groups of the cluster are left")
        // What goes away meanwhile is others'.
        let files = try await shell.sh(
            "find /tmp /run /var /dev/shm -xdev -name '*\(profile)*' -not -path '\(directory)*' 2>/dev/null || true")
        #expect(files == "", "files named after the cluster are left")
    }

    private func remove() async throws {
        if FileManager.default.fileExists(atPath: state) { try await martlet("delete") }
        try await expectNothingLeft()
        for pid in try processes() { kill(pid, SIGKILL) }
        try FileManager.default.removeItem(atPath: directory)
    }
}

/// The control groups of this machine.
enum Cgroups {
    /// Those of clusters whose names begin with `name`, in any hierarchy, by their paths.
    static func directories(containing name: String) throws -> [String] {
        // Each hierarchy is a mount of its own, into which an enumerator of the file manager does not go.
        var found: [String] = []
        func search(_ directory: String) {
            for entry in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
                let path = "\(directory)/\(entry)"
                var status = stat()
                guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
                if path.contains("martlet/\(name)") { found.append(path) }
                search(path)
            }
        }
        search("/sys/fs/cgroup")
        return found
    }
}
