import Glibc
import KubernetesModel
import Linux
import TestSupport
import Testing

@testable import ImageStore

/// The process in which layers are unpacked, and what is left to it.
@Suite struct LayerChildTests {
    let scratch: Scratch
    let program = Products.path("martlet")

    init() throws { scratch = try Scratch() }

    private func unpack(_ archive: String) throws -> LayerUnpacker.Outcome {
        try Files.makeDirectories(scratch.path + "/layer")
        return try LayerChild(program: program).run(
            try Descriptor.open(archive, O_RDONLY), archive: archive, into: scratch.path + "/layer")
    }

    @Test func aLayerIsAsIfUnpackedHere() throws {
        let archive = try scratch.archive(
            "layer",
            [
                .directory("bin", mode: 0o755), .file("bin/tool", "#!", mode: 0o4755), .symlink("link", "/bin/tool"),
                .hardlink("hard", "bin/tool"), .file("über/grün", "ö"), .file(".wh.gone"), .file("o/.wh..wh..opq"),
                .other("pipe", S_IFIFO),
                TestEntry(path: "theirs", mode: S_IFREG | 0o600, user: geteuid() == 0 ? 7 : Int64(geteuid())),
            ])
        for form in ["cat", "gzip -c", "zstd -cq"] {
            try #require(system("\(form) < \(archive) > \(archive).c") == 0)
            try Files.removeTree(scratch.path + "/here")
            try Files.removeTree(scratch.path + "/layer")
            let outcome = try unpack(archive + ".c")
            #expect(outcome == .init(diffID: try Digest.ofFile(archive), opaque: ["o"]))
            let here = try scratch.unpack(archive + ".c", as: "here")
            func listing(_ directory: String) throws -> String {
                let list = scratch.path + "/list"
                try #require(
                    system("cd \(directory) && find . -printf '%p %m %U %G %y %l %n %s\\n' | sort > \(list)") == 0)
                return try scratch.text(list)
            }
            let (own, theirs) = (try listing(here), try listing(scratch.path + "/layer"))
            #expect(
                own == theirs, "\(form)")
        }
    }

    @Test func imagesAreBuiltAndResolvedThroughIt() async throws {
        let store = ImageStore(root: scratch.path + "/images", unpacking: .child(program: program))
        try scratch.write("context/Dockerfile", "FROM scratch\nCOPY a /deep/a\n")
        try scratch.write("context/a", "a")
        var options = BuildOptions(context: scratch.path + "/context")
        options.names = ["test"]
        _ = try await store.build(options) { _ in }
        let layer = try #require(try await store.resolve("test").layers.first)
        #expect(try scratch.text(layer + "/deep/a") == "a")
    }

    @Test func itsErrorsAreThoseOfUnpackingHere() throws {
        let attack = try scratch.archive("attack", [.symlink("e", "/tmp"), .file("e/martlet-test-x")])
        let error = #expect(throws: ImageError.self) { try unpack(attack) }
        #expect(error?.description.hasPrefix("\(attack): /e: cannot enter") == true, "\(String(describing: error))")
        #expect(!Files.exists("/tmp/martlet-test-x"))
        try scratch.write("noise", String(repeating: "noise", count: 1000))
        let noise = #expect(throws: ImageError.self) { try unpack(scratch.path + "/noise") }
        #expect(noise == .damaged(path: scratch.path + "/noise", problem: "Unrecognized archive format"))
    }

    @Test func itsEndIsAnError() throws {
        let error = #expect(throws: ImageError.self) {
            try LayerChild(program: "/bin/false").run(
                try Descriptor.open("/dev/null", O_RDONLY), archive: "a", into: scratch.path)
        }
        #expect(error?.description.contains("exited with status 1") == true, "\(String(describing: error))")
    }

    /// What a fault in a parser would give away: nothing but the layer.
    @Test(.timeLimit(.minutes(1))) func itHasNothingButTheLayer() async throws {
        let layer = scratch.path + "/layer"
        let archive = scratch.path + "/long"
        try Files.makeDirectories(layer)
        // Long enough to be looked at: an entry that is no tar's end, and much nothing that is read after it.
        _ = try scratch.archive("start", [.file("f")])
        try #require(
            system("(head -c 512 \(scratch.path)/start.tar; head -c 800000000 /dev/zero) | gzip -1 > \(archive)") == 0)
        let pid = try Spawn(
            [program, LayerChild.name, layer], environment: [],
            descriptors: [(own: SharedDescriptor(try Descriptor.open(archive, O_RDONLY)), child: 0)]
        ).start()
        defer {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        func status() -> [String: String] {
            let lines = ((try? readFile("/proc/\(pid)/status")) ?? "").split(separator: "\n")
            return Dictionary(
                lines.compactMap { line in
                    let parts = line.split(separator: ":", maxSplits: 1)
                    return parts.count == 2 ? (String(parts[0]), String(parts[1].drop { $0 == "\t" })) : nil
                }, uniquingKeysWith: { $1 })
        }
        try await eventually("the child is enclosed") { status()["Seccomp"] == "2" }
        kill(pid, SIGSTOP)
        let found = status()
        #expect(found["NoNewPrivs"] == "1")
        #expect(found["Threads"] == "1")
        let rights = geteuid() == 0 ? "000000008000001b" : "0000000000000000"
        for set in ["CapPrm", "CapEff"] { #expect(found[set] == rights, "\(set)") }
        #expect(found["CapInh"] == "0000000000000000" && found["CapAmb"] == "0000000000000000")
        if geteuid() == 0 {
            #expect(found["CapBnd"] == rights)
            #expect(try Files.status("/proc/\(pid)/root/.")?.st_ino == Files.status(layer)?.st_ino)
            #expect(try readFile("/proc/\(pid)/mountinfo").split(separator: "\n").count == 1, "only the layer")
            #expect(try readFile("/proc/\(pid)/mountinfo").contains("nosuid,nodev,noexec"))
            #expect(try !readFile("/proc/\(pid)/net/dev").contains("eth"))
        }
        let limits = try readFile("/proc/\(pid)/limits").split(separator: "\n")
        for (limit, value) in [("Max address space", 2 << 30), ("Max open files", 64), ("Max core file size", 0)] {
            let line = try #require(limits.first { $0.hasPrefix(limit) })
            #expect(line.split(separator: " ").contains("\(value)"), "\(line)")
        }
    }
}
