import Glibc
import Linux
import Testing

@testable import ImageStore

/// Images whose `/etc/passwd` is made to exhaust or mislead who reads it.
@Suite struct ImageFilesTests {
    let scratch: Scratch
    var layer: String { scratch.path + "/layer" }

    init() throws {
        scratch = try Scratch()
        try Files.makeDirectories(layer + "/etc")
        try scratch.write("outside", "outside:x:0:0::/:")
    }

    private func link(_ target: String) { symlink(target, layer + "/etc/passwd") }

    @Test func linksStayInTheImage() throws {
        try scratch.write("lower/usr/passwd", "a:x:1:1::/:")
        let files = ImageFiles(layers: [scratch.path + "/lower", layer])
        #expect(try files.table("/etc/passwd") == nil)
        link("/usr/passwd")
        #expect(try files.table("/etc/passwd") == Array("a:x:1:1::/:".utf8))
        for target in [scratch.path + "/outside", "../../outside", "../../../../../../../..\(scratch.path)/outside"] {
            unlink(layer + "/etc/passwd")
            link(target)
            #expect(try files.table("/etc/passwd") == nil, "\(target)")
        }
        unlink(layer + "/etc/passwd")
        link("/etc/passwd")
        #expect(throws: ImageError.self) { try files.table("/etc/passwd") }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["/dev/zero", "/dev/null", "/dev/tty"])
    func devicesOfTheHostAreNotRead(target: String) throws {
        link(target)
        #expect(throws: ImageError.self) { try ImageFiles(layers: ["/", layer]).table("/etc/passwd") }
    }

    @Test(.timeLimit(.minutes(1))) func aPipeIsNotWaitedFor() throws {
        try #require(mkfifo(layer + "/etc/passwd", 0o600) == 0)
        #expect(throws: ImageError.self) { try ImageFiles(layers: [layer]).table("/etc/passwd") }
        // Also where it has come in the place of a file just now.
        let place = LayerPlace(layer: layer, path: "etc/passwd")
        #expect(throws: ImageError.self) { _ = try place.openFile() }
        unlink(layer + "/etc/passwd")
        link(scratch.path + "/outside")
        #expect(throws: ImageError.self) { _ = try place.openFile() }
    }

    @Test func aHugeFileIsNotRead() throws {
        try scratch.write("layer/etc/passwd", "")
        for (size, fits) in [(ImageFiles.maxTableSize, true), (ImageFiles.maxTableSize + 1, false), (1 << 40, false)] {
            try #require(truncate(layer + "/etc/passwd", size) == 0)
            if fits {
                #expect(try ImageFiles(layers: [layer]).table("/etc/passwd")?.count == size)
            } else {
                let error = #expect(throws: ImageError.self) {
                    try ImageFiles(layers: [layer]).table("/etc/passwd")
                }
                #expect(error?.description.contains("has more than") == true)
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func identitiesAreNotReadFromDevices() async throws {
        link("/dev/zero")
        let names = #expect(throws: ImageError.self) { try UserNames(LayerStack(layers: ["/", layer])) }
        #expect(names?.description == "the image's /etc/passwd is no regular file")
    }
}
