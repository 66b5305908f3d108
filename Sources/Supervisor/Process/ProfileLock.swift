import ClusterLayout
import Glibc
import Linux

/// What a command that changes a profile's cluster holds meanwhile: such commands come one after the other.
///
/// An advisory lock on a file beside the runtime directory, so that it ends with whoever holds it. The supervisor
/// inherits it and has it until its cluster is up: killing the command that started it lets nobody in before that.
public final class ProfileLock: Sendable {
    let descriptor: SharedDescriptor
    private let paths: ClusterPaths

    /// How long a command waits for another one.
    public static let patience = Duration.seconds(120)

    private init(_ paths: ClusterPaths, _ descriptor: SharedDescriptor) {
        self.paths = paths
        self.descriptor = descriptor
    }

    /// The lock that this process was started with.
    ///
    /// - Parameter number: the descriptor's, which belongs to the lock from now on.
    public convenience init(inherited number: Int32, _ paths: ClusterPaths) throws(SystemError) {
        guard fcntl(number, F_GETFD) >= 0 else { throw SystemError("inherit the lock", "descriptor \(number)") }
        // Those who are started by this process in their turn have nothing to do with it.
        self.init(paths, SharedDescriptor(try Descriptor(owning: number).duplicate()))
    }

    /// Waits for the lock as `hold` does; whoever takes it so lets go of it.
    static func take(_ paths: ClusterPaths, for command: String) async throws -> ProfileLock {
        ProfileLock(paths, try await take(paths, command, patience) { _ in })
    }

    /// Runs `body` once nobody else changes the profile.
    ///
    /// - Parameters:
    ///   - command: what this is, for those who wait for it.
    ///   - waiting: receives, once, whom it waits for.
    /// - Throws: `SupervisorError` where somebody else holds the lock for too long; what `body` throws.
    public static func hold<Result: Sendable>(
        _ paths: ClusterPaths, for command: String, patience: Duration = patience,
        waiting: @Sendable (String) -> Void, _ body: @Sendable (ProfileLock) async throws -> Result
    ) async throws -> Result {
        let lock = ProfileLock(paths, try await take(paths, command, patience, waiting))
        defer { lock.release() }
        return try await body(lock)
    }

    /// Nobody needs the file of a profile that is no more.
    private func release() {
        if !Files.exists(paths.state), !Files.exists(paths.runtime) {
            unlink(paths.profileLock)
            rmdir(paths.runtimeParent)
        }
        descriptor.close()
    }

    /// This process needs it no longer; others that have inherited it may.
    func letGo() { descriptor.close() }

    private static func take(
        _ paths: ClusterPaths, _ command: String, _ patience: Duration, _ waiting: (String) -> Void
    ) async throws -> SharedDescriptor {
        let end = ContinuousClock.now + patience
        var isToldOf = false
        while true {
            let file = try open(paths)
            do throws(SystemError) {
                if try file.tryLock() {
                    // Whoever had it may have removed it with the rest of the cluster.
                    guard file.isNamed(paths.profileLock) else { continue }
                    try file.replaceContent(Array("martlet \(command) (pid \(getpid()))".utf8))
                    return file
                }
            } catch {
                throw Files.failure(paths.profileLock, "lock it", error.errno)
            }
            let holder = (try? Files.text(paths.profileLock)).flatMap { $0 } ?? ""
            if !isToldOf {
                isToldOf = true
                waiting("waiting for \(holder.isEmpty ? "another command" : holder), at work on \"\(paths.profile)\"")
            }
            guard ContinuousClock.now < end else {
                throw SupervisorError.failed(
                    "cluster \"\(paths.profile)\" is being changed by \(holder) for more than "
                        + "\(patience.components.seconds) seconds; end that process, or try again later")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private static func open(_ paths: ClusterPaths) throws(SupervisorError) -> SharedDescriptor {
        for _ in 0..<100 {
            try Files.makeDirectory(paths.runtimeParent)
            do throws(SystemError) {
                let flags = O_RDWR | O_CREAT | O_NOFOLLOW
                return SharedDescriptor(try Descriptor.open(paths.profileLock, flags, mode: 0o600))
            } catch  where error.errno == ENOENT {
                // The directory went with the last cluster just now.
                continue
            } catch {
                throw Files.failure(paths.profileLock, "open it", error.errno)
            }
        }
        throw Files.failure(paths.profileLock, "open it", ENOENT)
    }
}
