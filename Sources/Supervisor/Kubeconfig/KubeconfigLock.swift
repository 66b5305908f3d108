import Glibc
import Linux

/// The lock that kubectl takes while it writes a kubeconfig: a file beside that, which must not be there yet.
///
/// kubectl leaves it for ever where it is killed. This program's own says whose it is and is locked besides (flock(2)),
/// so that one whose process has died is known for that and taken over.
struct KubeconfigLock {
    private let path: String
    private let file: SharedDescriptor

    private static let mark = "martlet "
    /// kubectl writes within milliseconds: one that is as old as this was left by a kubectl that was killed.
    private static let age = 60

    /// Waits for the lock, up to two seconds.
    init(_ path: String) throws(SupervisorError) {
        self.path = path
        do throws(SystemError) {
            file = try Self.wait(for: path)
        } catch {
            throw .file(
                path: path, problem: "cannot lock the kubeconfig: \(String(cString: strerror(error.errno)))",
                remedy: "if no kubectl is writing it, remove that file; or name another one in KUBECONFIG")
        }
    }

    func release() { unlink(path) }

    private static func wait(for path: String) throws(SystemError) -> SharedDescriptor {
        for _ in 0..<200 {
            do throws(SystemError) {
                return try make(path)
            } catch  where error.errno == EEXIST {
                if let stale = takeOver(path) { return stale }
                usleep(10_000)
            }
        }
        return try make(path)
    }

    /// - Throws: `EEXIST` where somebody has the lock.
    private static func make(_ path: String) throws(SystemError) -> SharedDescriptor {
        if let nameless = try? makeUnnamedFile(in: parent(of: path)) {
            // From when it has its name it is locked and says whose it is.
            let file = SharedDescriptor(nameless)
            try sign(file)
            try name(file.duplicate(), path)
            return file
        }
        let file = SharedDescriptor(try Descriptor.open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode: 0o600))
        try sign(file)
        return file
    }

    private static func sign(_ file: SharedDescriptor) throws(SystemError) {
        _ = try file.tryLock()
        try file.write(Array("\(mark)\(getpid())\n".utf8))
    }

    /// The lock of a process that has died; nil where it may still be somebody's.
    private static func takeOver(_ path: String) -> SharedDescriptor? {
        guard let opened = try? Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return nil }
        let file = SharedDescriptor(opened)
        // Whoever holds it has the flock; and what is locked must still be what is there.
        guard let status = try? file.status(), status.st_mode & S_IFMT == S_IFREG, (try? file.tryLock()) == true,
            file.isNamed(path)
        else { return nil }
        guard let text = try? file.readToEnd() else { return nil }
        if String(decoding: text, as: UTF8.self).hasPrefix(mark) { return file }
        if time(nil) - status.st_mtim.tv_sec > age { unlink(path) }
        return nil
    }
}
