import CArchive
import Glibc
import Linux
import Testing

@testable import ImageStore

/// An entry of a layer that a test makes.
struct TestEntry: Sendable {
    var path: String
    var mode: mode_t
    var link: String?
    var user: Int64 = Int64(geteuid())
    var text = ""

    static func file(_ path: String, _ text: String = "", mode: mode_t = 0o644) -> TestEntry {
        TestEntry(path: path, mode: S_IFREG | mode, text: text)
    }
    static func directory(_ path: String, mode: mode_t = 0o755) -> TestEntry {
        TestEntry(path: path, mode: S_IFDIR | mode)
    }
    static func symlink(_ path: String, _ target: String) -> TestEntry {
        TestEntry(path: path, mode: S_IFLNK | 0o777, link: target)
    }
    static func hardlink(_ path: String, _ target: String) -> TestEntry {
        TestEntry(path: path, mode: S_IFREG | 0o644, link: target)
    }
    static func other(_ path: String, _ kind: mode_t) -> TestEntry { TestEntry(path: path, mode: kind | 0o666) }
}

extension Scratch {
    /// Writes a tar of these entries; returns its path.
    func archive(_ name: String, _ entries: [TestEntry]) throws -> String {
        let archive = path + "/" + name + ".tar"
        let file = try Descriptor.open(archive, O_WRONLY | O_CREAT, mode: 0o600)
        let opened = file.withRawValue { carchive_writer_open($0) }
        let writer = try #require(opened)
        for entry in entries {
            entry.path.withCString { path in
                var header = carchive_entry()
                header.path = path
                header.mode = entry.mode
                header.uid = entry.user
                header.gid = Int64(getegid())
                header.size = Int64(entry.text.utf8.count)
                (header.major, header.minor) = (1, 3)
                guard let link = entry.link else {
                    carchive_writer_add(writer, &header)
                    _ = carchive_writer_write(writer, entry.text, entry.text.utf8.count)
                    return
                }
                link.withCString { link in
                    if entry.mode & S_IFMT == S_IFLNK { header.symlink = link } else { header.hardlink = link }
                    header.size = 0
                    _ = carchive_writer_add(writer, &header)
                }
            }
        }
        carchive_writer_close(writer)
        return archive
    }

    /// Unpacks an archive as the layer `name`; returns the layer's directory.
    func unpack(_ archive: String, as name: String, limits: LayerUnpacker.Limits = .init()) throws -> String {
        let directory = path + "/" + name
        try Files.makeDirectories(directory)
        var unpacker = LayerUnpacker(
            archive: archive, into: try Descriptor.open(directory, O_RDONLY | O_DIRECTORY), limits: limits)
        let outcome = try unpacker.run(try Descriptor.open(archive, O_RDONLY))
        try LayerUnpacker.markOpaque(outcome.opaque, in: try Descriptor.open(directory, O_RDONLY | O_DIRECTORY))
        return directory
    }

    func layer(_ name: String, _ entries: [TestEntry]) throws -> String {
        try unpack(try archive(name, entries), as: name)
    }
}
