import Glibc
import KubernetesModel
import Linux

/// The files of a volume that comes from the API, written so that a reader sees all of one version or all of the next.
///
/// The files are in a directory of their own, to which the link `..data` points; each name in the volume is a link
/// through that. Renaming a new link over `..data` changes them all at once.
struct VolumeContent: Sendable {
    private struct File: Sendable {
        var bytes: [UInt8]
        var mode: Int
        /// Root, unless given.
        var owner: Int?
    }

    private var files: [String: File] = [:]
    private let defaultMode: Int

    init(defaultMode: Int?) { self.defaultMode = defaultMode ?? 0o644 }

    mutating func add(_ path: String, _ bytes: [UInt8], mode: Int?, owner: Int? = nil) {
        files[path] = File(bytes: bytes, mode: mode ?? defaultMode, owner: owner)
    }

    /// Adds the entries of a ConfigMap or Secret: all of them, or those that `items` names.
    mutating func add(_ data: [String: [UInt8]], items: JSON, isOptional: Bool, of kind: String) throws {
        guard items.array != nil else {
            for (key, bytes) in data { add(key, bytes, mode: nil) }
            return
        }
        for item in items.items {
            let key = item["key"].string ?? ""
            guard let bytes = data[key] else {
                if isOptional { continue }
                throw VolumeError(description: "\(kind) references non-existent config key: \(key)")
            }
            add(item["path"].string ?? key, bytes, mode: item["mode"].int)
        }
    }

    /// Writes the files below `directory` unless they are there already. It blocks.
    func write(to directory: String, group: Int?) throws(SystemError) {
        try makeDirectory(directory, exactly: 0o755)
        let link = directory + "/..data"
        let previous = readLink(link)
        if let previous, isCurrent(directory + "/" + previous) { return }

        let now = Timestamp.now
        // As the kubelet names it: `..2026_01_31_12_00_00.123456789`.
        let day = now.nano.prefix(19).map { $0.isNumber ? $0 : "_" }
        let version = "..\(String(day)).\(now.nano.dropFirst(20).dropLast())"
        try makeDirectory(directory + "/" + version, exactly: 0o755)
        for (path, file) in files {
            let target = "\(directory)/\(version)/\(path)"
            if let slash = target.lastIndex(of: "/") { try makeDirectory(String(target[..<slash]), exactly: 0o755) }
            try replaceFile(target, file.bytes, mode: 0o600)
            // A group that is to read it can, as the kubelet does it.
            let mode = group == nil ? file.mode : file.mode | (file.mode & 0o400) >> 3
            if group != nil || file.owner != nil {
                chown(target, uid_t(truncatingIfNeeded: file.owner ?? 0), gid_t(truncatingIfNeeded: group ?? 0))
            }
            if chmod(target, mode_t(mode & 0o777)) != 0 { throw SystemError("chmod", target) }
        }
        unlink(link + "_tmp")
        if symlink(version, link + "_tmp") != 0 { throw SystemError("symlink", link) }
        if rename(link + "_tmp", link) != 0 { throw SystemError("rename", link) }

        let tops = Set(files.keys.map { String($0.prefix { $0 != "/" }) })
        for name in tops where readLink("\(directory)/\(name)") == nil {
            if symlink("..data/\(name)", "\(directory)/\(name)") != 0 {
                throw SystemError("symlink", "\(directory)/\(name)")
            }
        }
        for name in try listDirectory(directory) where name != "..data" && name != version && !tops.contains(name) {
            try removeTree("\(directory)/\(name)")
        }
    }

    private func isCurrent(_ directory: String) -> Bool {
        for (path, file) in files {
            guard let bytes = try? readBytes("\(directory)/\(path)"), bytes == file.bytes else { return false }
        }
        var count = 0
        try? walkTree(directory) { _, _, _ in
            true
        } visit: { _, _, status in
            if status.st_mode & S_IFMT != S_IFDIR { count += 1 }
        }
        return count == files.count
    }
}

/// Where a symbolic link points; nil if there is none.
func readLink(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink(path, &buffer, buffer.count)
    guard length > 0 else { return nil }
    return String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
}
