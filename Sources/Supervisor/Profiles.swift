import ClusterLayout
import KubernetesModel
import Linux

/// The clusters of the present user.
public enum Profiles {
    public struct Profile: Sendable, Hashable {
        public enum State: String, Sendable {
            case ready = "Ready"
            /// It runs, and some component does not work yet or any more.
            case notReady = "NotReady"
            /// It runs without its supervisor, which the next command for it starts again.
            case unsupervised = "Unsupervised"
            case stopped = "Stopped"
            /// It runs no more, and its configuration cannot be read.
            case damaged = "Damaged"
        }

        public let name: String
        public let state: State
        public let nodes: Int
        /// nil where that is not known.
        public let created: Timestamp?
        /// nil: it is not deleted by itself.
        public let expires: Timestamp?
    }

    /// The names of all clusters that have left anything, in order.
    public static func names() -> [String] {
        let parents = ClusterPaths(ofProfile: "")
        let found = Files.names(parents.stateParent) + Files.names(parents.runtimeParent)
        // One whose removal did not come to its end is there too, and nothing else that lies there by chance.
        let condemned = found.compactMap { name -> String? in
            guard name.hasPrefix("."), name.hasSuffix(".deleted") else { return nil }
            return String(name.dropFirst().dropLast(".deleted".count))
        }
        return Set(found + condemned).filter { name in
            guard ClusterPaths.isProfile(name), let paths = try? ClusterPaths(profile: name) else { return false }
            return [paths.configuration, paths.lock, paths.condemned].contains(where: Files.exists)
        }.sorted()
    }

    public static func list() async -> [Profile] {
        var profiles: [Profile] = []
        for name in names() {
            if let profile = await profile(ClusterPaths(ofProfile: name)) { profiles.append(profile) }
        }
        return profiles
    }

    /// Deletes the clusters whose time is over and that nobody has deleted, as where their supervisors were killed.
    ///
    /// - Returns: their names.
    public static func deleteExpired() async -> [String] {
        var gone: [String] = []
        for name in names() {
            // One that somebody works on is somebody's; one that cannot be read is for a person to look at.
            let end = ClusterEnd(ClusterPaths(ofProfile: name)) { _ in }
            if (try? await end.deleteIfExpired(patience: .zero)) == true { gone.append(name) }
        }
        return gone
    }

    private static func profile(_ paths: ClusterPaths) async -> Profile? {
        let read = Result { try ClusterConfiguration.load(paths.configuration) }
        let configuration = (try? read.get()).flatMap { $0 }
        let state: Profile.State
        if let connection = try? ControlConnection(paths) {
            let status = try? await connection.request(["op": "status"]).answer
            state = status?["ready"].bool == true ? .ready : .notReady
        } else if Teardown(paths: paths).isAnythingRunning {
            state = .unsupervised
        } else if configuration != nil {
            state = .stopped
        } else if case .failure = read {
            state = .damaged
        } else {
            // Only remains, which its next start or deletion removes.
            return nil
        }
        return Profile(
            name: paths.profile, state: state, nodes: configuration?.nodes.count ?? 0,
            created: configuration?.created, expires: configuration?.expires)
    }
}
