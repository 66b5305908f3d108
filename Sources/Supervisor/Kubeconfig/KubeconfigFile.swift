import Glibc
import KubernetesModel
import Linux

/// A kubeconfig on the disk: read, locked as kubectl does, and replaced as a whole.
struct KubeconfigFile {
    /// As the user named it; it may be a symbolic link.
    let path: String

    init(_ path: String) { self.path = path }

    /// The text, empty where there is no file.
    func read() throws -> KubeconfigText {
        guard let bytes = try Files.read(path) else { return try KubeconfigText("") }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw refusal("the kubeconfig is not UTF-8")
        }
        do {
            return try KubeconfigText(text)
        } catch let error as KubeconfigText.Refusal {
            throw refusal(error.problem)
        } catch {
            throw refusal("the kubeconfig is no YAML: \(error)")
        }
    }

    private func refusal(_ problem: String) -> SupervisorError {
        .file(path: path, problem: problem, remedy: "mend it, or name another file in KUBECONFIG")
    }

    /// Whether the file may be replaced, or made where there is none.
    ///
    /// - Throws: `SupervisorError` also where root could write a file that nobody is meant to.
    func checkWritable() throws(SupervisorError) {
        var information = stat()
        guard stat(path, &information) == 0 else { return }
        guard information.st_mode & 0o222 != 0, access(path, W_OK) == 0 else {
            throw .file(
                path: path, problem: "the kubeconfig is read-only",
                remedy: "make it writable, or name another file first in KUBECONFIG")
        }
    }

    /// Waits for the lock.
    func lock() throws(SupervisorError) -> KubeconfigLock {
        try checkWritable()
        if path.hasPrefix("/") { try Files.makeDirectory(parent(of: path)) }
        return try KubeconfigLock(path + ".lock")
    }

    /// Replaces the content; mode and owner stay. A symbolic link stays one: what it names is replaced.
    func write(_ text: String) throws(SupervisorError) {
        var target = path
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        for _ in 0..<40 {
            let length = readlink(target, &buffer, buffer.count - 1)
            guard length >= 0 else { break }
            let link = String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
            let above = target.lastIndex(of: "/").map { String(target[...$0]) } ?? ""
            target = link.hasPrefix("/") ? link : above + link
        }
        var information = stat()
        let exists = stat(target, &information) == 0
        try Files.writeSecret(
            Array(text.utf8), to: target, mode: exists ? information.st_mode & 0o7777 : 0o600,
            owner: exists ? (information.st_uid, information.st_gid) : nil)
    }
}
