import Glibc
import Linux
import Testing

@testable import ImageStore

@Suite struct LayerTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func whiteoutsHideLowerLayers() throws {
        let lower = try scratch.layer(
            "lower",
            [.file("a"), .file("d/x"), .file("o/x"), .symlink("link", "/d"), .hardlink("hard", "a")])
        let upper = try scratch.layer("upper", [.file(".wh.a"), .file("d/y"), .file("o/.wh..wh..opq")])
        let stack = LayerStack(layers: [lower, upper])
        #expect(try stack.find("/a") == nil)
        #expect(try stack.find("/hard") != nil)
        #expect(try stack.names(in: try #require(try stack.find("/link"))) == ["x", "y"])
        #expect(try stack.names(in: try #require(try stack.find("/o"))).isEmpty)
        #expect(try stack.find("/link/../hard")?.path == "/hard")
    }

    @Test func attributesAreThoseOfTheArchiveWhateverTheUmask() throws {
        let layer = try scratch.layer(
            "layer",
            [
                .directory("open", mode: 0o777), .file("open/tool", "#!", mode: 0o4755), .file("made/on/the/way", "x"),
                .directory("open", mode: 0o1777), .other("pipe", S_IFIFO),
            ])
        func mode(_ path: String) throws -> mode_t { try #require(try Files.status(layer + path)).st_mode & 0o7777 }
        #expect(try mode("/open") == 0o1777)
        #expect(try mode("/open/tool") == 0o4755)
        #expect(try mode("/made/on") == 0o755)
        #expect(try mode("/pipe") == 0o666)
        #expect(try scratch.text(layer + "/made/on/the/way") == "x")
    }

    // The same tar of a file "f" that holds "hi", in each form.
    @Test(arguments: ["cat", "gzip -c", "zstd -c -q", "sh -c 'gzip -c; printf x | gzip -c'"])
    func layersMayBeCompressed(program: String) throws {
        let archive = try scratch.archive("plain", [.file("f", "hi")])
        guard system("which \(program.prefix { $0 != " " }) > /dev/null") == 0 else { return }
        try #require(system("\(program) < \(archive) > \(archive).c") == 0)
        #expect(try scratch.text(try scratch.unpack(archive + ".c", as: "layer") + "/f") == "hi")
    }

    @Test func theDigestIsThatOfTheWholeTar() throws {
        let archive = try scratch.archive("plain", [.file("f", "hi")])
        // What follows the archive's end belongs to the digest.
        try #require(system("printf more >> \(archive); gzip -k \(archive)") == 0)
        let directory = scratch.path + "/layer"
        try Files.makeDirectories(directory)
        var unpacker = LayerUnpacker(archive: archive, into: try Descriptor.open(directory, O_RDONLY | O_DIRECTORY))
        let outcome = try unpacker.run(try Descriptor.open(archive + ".gz", O_RDONLY))
        #expect(outcome.diffID == (try Digest.ofFile(archive)))
    }
}
