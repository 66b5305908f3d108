import Glibc
import KubernetesModel
import Linux
import Testing

@testable import ImageStore

/// Layers that try to get at what is outside of their directory, or to exhaust who unpacks them.
@Suite struct LayerAttackTests {
    let scratch: Scratch
    /// What none of them may change.
    let outside: String

    init() throws {
        scratch = try Scratch()
        outside = scratch.path + "/outside"
        try scratch.write("outside/secret", "secret", mode: 0o600)
        chmod(outside, 0o700)
    }

    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// `OUT` stands for a directory outside.
        let entries: [TestEntry]
        /// In the layer, where it is unpacked at all.
        var names: [String]?
    }

    static let attacks = [
        Attack(
            testDescription: "a directory in the place of a link",
            entries: [.symlink("e", "OUT"), .directory("e", mode: 0o777)], names: ["e"]),
        Attack(
            testDescription: "a directory in the place of a link to a file",
            entries: [.symlink("e", "OUT/secret"), .directory("e", mode: 0o777)], names: ["e"]),
        Attack(testDescription: "a file below a link", entries: [.symlink("e", "OUT"), .file("e/new")]),
        Attack(
            testDescription: "a directory below a link", entries: [.symlink("e", "OUT"), .directory("e/new/deep")]),
        Attack(
            testDescription: "a file in the place of a link",
            entries: [.symlink("e", "OUT/secret"), .file("e", "new", mode: 0o777)], names: ["e"]),
        Attack(
            testDescription: "a hard link below a link", entries: [.symlink("e", "OUT"), .hardlink("h", "e/secret")]),
        Attack(testDescription: "a hard link to a path outside", entries: [.hardlink("h", "OUT/secret")]),
        Attack(testDescription: "a hard link by dots", entries: [.hardlink("h", "../outside/secret")]),
        Attack(
            testDescription: "a pipe in the place of a hard link to a link",
            entries: [.symlink("e", "OUT/secret"), .hardlink("h", "e"), .other("h", S_IFIFO)], names: ["e", "h"]),
        Attack(
            testDescription: "a whiteout below a link", entries: [.symlink("e", "OUT"), .file("e/.wh.secret")]),
        Attack(
            testDescription: "an opaque mark below a link", entries: [.symlink("e", "OUT"), .file("e/.wh..wh..opq")]),
        Attack(
            testDescription: "a link in the place of a directory that was marked",
            entries: [.file("e/.wh..wh..opq"), .symlink("e", "OUT")]),
        Attack(testDescription: "a whiteout of nothing", entries: [.file("d/.wh.")]),
        Attack(testDescription: "a whiteout of the directory above", entries: [.file("d/.wh...")]),
        Attack(testDescription: "dots", entries: [.file("../../up"), .file("d/../../../up2")], names: ["up", "up2"]),
        Attack(testDescription: "an absolute path", entries: [.file("/OUT/secret", "new")], names: ["tmp"]),
        Attack(
            testDescription: "devices",
            entries: [.other("null", S_IFCHR), .other("disk", S_IFBLK), .file("f")], names: ["f"]),
        Attack(
            testDescription: "a user that stays root",
            entries: [
                TestEntry(path: "f", mode: S_IFREG | 0o4755, user: 0xFFFF_FFFF)
            ]),
        Attack(
            testDescription: "a user beyond all users",
            entries: [
                TestEntry(path: "f", mode: S_IFREG | 0o4755, user: 0x1_0000_0000)
            ]),
    ]

    @Test(arguments: attacks) func aLayerStaysInItsDirectory(_ attack: Attack) throws {
        let entries = attack.entries.map { entry in
            var entry = entry
            entry.path.replace("OUT", with: outside.dropFirst())
            entry.link?.replace("OUT", with: outside)
            return entry
        }
        let archive = try scratch.archive("bad", entries)
        if let names = attack.names {
            #expect(try Files.names(in: try scratch.unpack(archive, as: "layer")) == names)
        } else {
            #expect(throws: ImageError.self) { try scratch.unpack(archive, as: "layer") }
        }
        #expect(try Files.names(in: outside) == ["secret"])
        #expect(try scratch.text(outside + "/secret") == "secret")
        #expect(try Files.status(outside)?.st_mode == S_IFDIR | 0o700)
        let secret = try #require(try Files.status(outside + "/secret"))
        #expect(secret.st_mode == S_IFREG | 0o600)
        #expect(secret.st_nlink == 1)
        #expect(try Files.names(in: scratch.path) == ["bad.tar", "layer", "outside"])
    }

    @Test func aLayerIsBounded() throws {
        let archive = try scratch.archive(
            "many", (0..<10).map { .file("file-\($0)", String(repeating: "x", count: 99)) })
        var limits = LayerUnpacker.Limits(entries: 10, pathBytes: 60, bytes: 16384)
        _ = try scratch.unpack(archive, as: "whole", limits: limits)
        for change: (inout LayerUnpacker.Limits) -> Void in [
            { $0.entries = 9 }, { $0.pathBytes = 59 }, { $0.bytes = 900 },
        ] {
            let whole = limits
            change(&limits)
            #expect(throws: ImageError.self) { try scratch.unpack(archive, as: "part", limits: limits) }
            try Files.removeTree(scratch.path + "/part")
            limits = whole
        }
    }

    @Test func aSmallArchiveCannotBecomeALargeOne() throws {
        let archive = scratch.path + "/bomb"
        try #require(system("head -c 100000000 /dev/zero | gzip -9 > \(archive)") == 0)
        let error = #expect(throws: ImageError.self) {
            try scratch.unpack(archive, as: "layer", limits: .init(bytes: 1 << 20))
        }
        #expect(error?.description.contains("larger than a layer may be") == true, "\(String(describing: error))")
    }

    /// Formats and compressions for which libarchive would start a program, or has parsers that layers do not need.
    @Test(
        arguments: [
            [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a],  // lzop
            [0x4c, 0x52, 0x5a, 0x49, 0x00, 0x06],  // lrzip
            [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59],  // bzip2
            [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],  // xz
            [0x50, 0x4b, 0x03, 0x04],  // zip
            Array("begin 644 f\n".utf8),  // uuencode
            Array("#mtree\n".utf8),
        ] as [[UInt8]])
    func onlyTarIsRead(start: [UInt8]) throws {
        let archive = scratch.path + "/odd"
        try Files.writeAtomically(start + [UInt8](repeating: 0x20, count: 2048), to: archive)
        let error = #expect(throws: ImageError.self) { try scratch.unpack(archive, as: "layer") }
        #expect(error?.description.contains("Unrecognized archive format") == true, "\(String(describing: error))")
    }

    @Test(arguments: ["layer", "diffID", "configuration", "manifest"])
    func whatIsNotWhatItsDigestSaysIsNotUsed(part: String) async throws {
        let store = ImageStore(root: scratch.path + "/images")
        try scratch.write("context/Dockerfile", "FROM scratch\nCOPY a /a\n")
        try scratch.write("context/a", "a")
        var options = BuildOptions(context: scratch.path + "/context")
        options.names = ["test"]
        let built = try await store.build(options) { _ in }
        let image = try await store.inspect("test")
        try Files.removeTree(store.root + "/layers")
        try Files.makeDirectories(store.root + "/layers")
        var digest = ["layer": image.layerDigests[0], "configuration": built.id, "manifest": built.digest][part] ?? ""
        if part == "diffID" {
            // A layer that is what its digest says, but not what the image's configuration says of it.
            let other = try scratch.archive("other", [.file("evil")])
            digest = try Digest.ofFile(other)
            let hex = digest.dropFirst(7)
            try #require(rename(other, store.root + "/blobs/sha256/\(hex)") == 0)
            let layout = await store.layout
            let layer = StoredLayer(digest: digest, diffID: image.layerDigests[0])
            let error = #expect(throws: ImageError.self) { try layout.unpacked(layer) }
            #expect(error?.description.contains("it has the diffID") == true, "\(String(describing: error))")
        } else {
            let path = store.root + "/blobs/sha256/" + digest.dropFirst(7)
            try Files.writeAtomically(try Files.read(path) + [0x20], to: path)
            let error = await #expect(throws: ImageError.self) { try await store.resolve("test") }
            #expect(error?.description.contains("its digest is") == true, "\(String(describing: error))")
        }
        #expect(try Files.names(in: store.root + "/layers").isEmpty)
    }
}
