import Glibc
import Linux

/// The file operations of the store: blocking, with the path in each error.
enum Files {
    static func read(_ path: String) throws(ImageError) -> [UInt8] {
        try ImageError.mapping { () throws(SystemError) in try readBytes(path) }
    }

    /// Replaces a file in one step: after a crash it holds the old bytes or the new ones.
    static func writeAtomically(_ bytes: [UInt8], to path: String) throws(ImageError) {
        try ImageError.mapping { () throws(SystemError) in
            try replaceFile(path, bytes, mode: 0o600, durability: .name, temporary: temporaryPath(beside: path))
        }
    }

    /// Renames a finished temporary file to its own name, durably.
    static func publish(_ temporary: String, as path: String) throws(ImageError) {
        guard rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            throw .system("rename", path: path, errno: number)
        }
        try syncDirectory(of: path)
    }

    static func syncDirectory(of path: String) throws(ImageError) {
        try ImageError.mapping { () throws(SystemError) in try Linux.syncDirectory(of: path) }
    }

    /// A name in the same directory that no other process and no other call takes. Garbage collection knows it by its
    /// start.
    static func temporaryPath(beside path: String) -> String {
        "\(parent(path))/\(temporaryPrefix)\(getpid())-\(UInt64.random(in: 0 ... .max))"
    }

    static let temporaryPrefix = ".new-"

    static func makePrivateDirectory(_ path: String) throws(ImageError) {
        do throws(SystemError) {
            try Linux.makePrivateDirectory(path)
        } catch {
            guard error.call == "own" else { throw .system(error.call, path: error.subject, errno: error.errno) }
            throw .usage(
                "\(error.subject) belongs to another user, who could change what is in it: "
                    + "remove it, or choose another directory with MARTLET_STATE_HOME")
        }
    }

    static func makeDirectories(_ path: String) throws(ImageError) {
        try ImageError.mapping { () throws(SystemError) in try makeDirectory(path) }
    }

    /// The names in a directory, sorted, without `.` and `..`.
    static func names(in directory: String) throws(ImageError) -> [String] {
        try ImageError.mapping { () throws(SystemError) in try namesInDirectory(directory) }.sorted()
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

    /// Removes a file, or a directory with what is in it, such as a layer's. One that is gone is no error.
    static func removeTree(_ path: String) throws(ImageError) {
        try ImageError.mapping { () throws(SystemError) in try Linux.removeTree(path, opening: true) }
    }

    static func parent(_ path: String) -> String { Linux.parent(of: path) }

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
