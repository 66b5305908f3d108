import Glibc
import Linux

/// The file operations of the store: blocking, with the path in each error.
enum Files {
    static func read(_ path: String) throws(ImageError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", path: path, errno: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 { throw .system("read", path: path, errno: errno) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws(ImageError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("write", path: path, errno: errno)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Replaces a file in one step: after a crash it holds the old bytes or the new ones.
    static func writeAtomically(_ bytes: [UInt8], to path: String) throws(ImageError) {
        let temporary = temporaryPath(beside: path)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system("create", path: temporary, errno: errno) }
        do {
            defer { close(descriptor) }
            var failure: ImageError?
            bytes.withUnsafeBytes { buffer in
                do throws(ImageError) {
                    try write(buffer, to: descriptor, path: temporary)
                } catch {
                    failure = error
                }
            }
            if failure == nil, fsync(descriptor) != 0 { failure = .system("sync", path: temporary, errno: errno) }
            if let failure {
                unlink(temporary)
                throw failure
            }
        }
        try publish(temporary, as: path)
    }

    /// Renames a finished temporary file to its own name, durably.
    static func publish(_ temporary: String, as path: String) throws(ImageError) {
        guard rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            throw .system("rename", path: path, errno: number)
        }
        try syncFolder(of: path)
    }

    static func syncFolder(of path: String) throws(ImageError) {
        let folder = parent(path)
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", path: folder, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("sync", path: folder, errno: errno) }
    }

    /// A name in the same folder that no other process and no other call takes. Garbage collection knows it by its start.
    static func temporaryPath(beside path: String) -> String {
        "\(parent(path))/\(temporaryPrefix)\(getpid())-\(UInt64.random(in: 0 ... .max))"
    }

    static let temporaryPrefix = ".new-"

    static func makeFolders(_ path: String) throws(ImageError) {
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, path != "/" else { throw .system("create folder", path: path, errno: errno) }
        try makeFolders(parent(path))
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw .system("create folder", path: path, errno: errno)
        }
    }

    /// The names in a folder, sorted, without `.` and `..`.
    static func names(in folder: String) throws(ImageError) -> [String] {
        guard let stream = opendir(folder) else { throw .system("open folder", path: folder, errno: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// What is at `path` itself, a link not followed; nil where there is nothing.
    static func status(_ path: String) throws(ImageError) -> stat? {
        var status = stat()
        if lstat(path, &status) == 0 { return status }
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw .system("look at", path: path, errno: errno)
    }

    static func linkTarget(_ path: String) throws(ImageError) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { readlink(path, $0.baseAddress!, $0.count) }
        }
        guard count >= 0 else { throw .system("read link", path: path, errno: errno) }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Removes a file, or a folder with what is in it, such as a layer's. One that is gone is no error.
    static func removeTree(_ path: String) throws(ImageError) {
        do throws(SystemError) {
            try Linux.removeTree(path, opening: true)
        } catch {
            throw .system("remove", path: path, errno: error.errno)
        }
    }

    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func lastName(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// An absolute path without `.`, `..`, doubled slashes and a slash at its end; `..` stops at the root.
    static func clean(_ path: String) -> String { "/" + components(path).joined(separator: "/") }

    /// The names of a path from the root, with `.` and `..` worked out.
    static func components(_ path: String) -> [Substring] {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts
    }
}
