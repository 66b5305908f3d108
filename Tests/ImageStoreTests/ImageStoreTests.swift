import Glibc
import KubernetesModel
import Testing

@testable import ImageStore

/// A directory of its own for a test, gone after it.
final class Scratch {
    let path: String

    init() throws {
        path = "/tmp/martlet-images-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        try Files.makeDirectories(path)
    }

    deinit { try? Files.removeTree(path) }

    func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws {
        try Files.makeDirectories(Files.parent(path + "/" + name))
        try Files.writeAtomically(Array(text.utf8), to: path + "/" + name)
        chmod(path + "/" + name, mode)
    }

    func text(_ name: String) throws -> String { String(decoding: try Files.read(name), as: UTF8.self) }
}

@Suite struct ImageStoreTests {
    let scratch: Scratch
    let store: ImageStore
    var context: String { scratch.path + "/context" }

    init() throws {
        scratch = try Scratch()
        store = ImageStore(root: scratch.path + "/images")
        try Files.makeDirectories(scratch.path + "/context")
    }

    func build(_ dockerfile: String, _ change: (inout BuildOptions) -> Void = { _ in }) async throws -> BuildResult {
        try scratch.write("context/Dockerfile", dockerfile)
        var options = BuildOptions(context: context)
        options.names = ["test"]
        change(&options)
        return try await store.build(options) { _ in }
    }

    @Test func buildsAndResolves() async throws {
        try scratch.write("context/run", "#!/bin/sh\n", mode: 0o755)
        try scratch.write("context/etc/a.conf", "a")
        _ = try await build(
            """
            ARG BASE=scratch
            FROM $BASE AS files
            COPY run /bin/
            FROM files
            ARG VERSION=1.0.0
            ENV VERSION=$VERSION
            WORKDIR /srv
            USER 7:8
            EXPOSE 80 90/udp
            LABEL who=me
            STOPSIGNAL SIGQUIT
            COPY --from=files /bin/run program
            COPY --chmod=600 --chown=5 etc /etc/app
            ENTRYPOINT ["/bin/run"]
            CMD ["-x", "y"]
            """
        ) { $0.arguments = ["VERSION": "2.0.0"] }

        let image = try await store.resolve("docker.io/library/test:latest")
        let configuration = image.configuration
        #expect(configuration.entrypoint == ["/bin/run"])
        #expect(configuration.command == ["-x", "y"])
        #expect(configuration.variable("VERSION") == "2.0.0")
        #expect(configuration.variable("PATH") != nil)
        #expect(configuration.user == "7:8")
        #expect(configuration.workingDirectory == "/srv")
        #expect(configuration.exposedPorts == ["80/tcp", "90/udp"])
        #expect(configuration.labels == ["who": "me"])
        #expect(configuration.stopSignal == "SIGQUIT")

        let stack = LayerStack(layers: image.layers)
        let program = try #require(try stack.find("/srv/program"))
        #expect(program.status.st_mode & 0o7777 == 0o755)
        #expect(try scratch.text(program.places[0].onDisk) == "#!/bin/sh\n")
        let file = try #require(try stack.find("/etc/app/a.conf"))
        #expect(file.status.st_mode & 0o7777 == 0o600)
        if geteuid() == 0 { #expect(file.status.st_uid == 5 && file.status.st_gid == 5) }
    }

    @Test func sameInputGivesSameDigest() async throws {
        try scratch.write("context/a", "a")
        let first = try await build("FROM scratch\nCOPY a /a\n")
        try scratch.write("context/a", "a")  // a new file with another time
        #expect(try await build("FROM scratch\nCOPY a /a\n").digest == first.digest)
        try scratch.write("context/a", "b")
        #expect(try await build("FROM scratch\nCOPY a /a\n").digest != first.digest)
    }

    @Test func hostIsTheMachinesRoot() async throws {
        #expect(try await store.resolve("host").layers == ["/"])
        try scratch.write("context/a", "a")
        _ = try await build("FROM host\nCOPY a /bin/martlet-test-a\nCMD true\n")
        let image = try await store.resolve("test")
        #expect(image.layers.count == 2 && image.layers[0] == "/")
        // Directories of the base keep their owner and mode, and links of the base stay links.
        let stack = LayerStack(layers: image.layers)
        let place = try #require(try LayerStack(layers: ["/"]).find("/bin")).path + "/martlet-test-a"
        #expect(try stack.find("/bin/martlet-test-a")?.path == place)
        #expect(image.configuration.command == ["/bin/sh", "-c", "true"])
    }

    @Test(arguments: [
        ("COPY none /x", "Dockerfile:2: COPY: \"none\" is not in the context"),
        ("COPY secret /x", "COPY: \"secret\" is not in the context"),
        ("COPY ../a /x", "is outside the context"),
        ("COPY a b /x", "the destination is a directory and ends with a /"),
        ("COPY a /x\nCOPY dir /x", "Dockerfile:3: COPY: /x is there already and is no directory"),
        ("COPY --chmod=9 a /x", "takes an octal number"),
        ("COPY --chown=nobody-here a /x", "has no user \"nobody-here\""),
        ("COPY --from=none a /x", "image \"none\" not found"),
        ("RUN true", "Dockerfile:2: RUN: running commands"),
        ("ADD a /x", "use COPY"),
        ("EXPOSE 0", "is no port"),
        ("LABEL dev.martlet.image.base=host", "is set by FROM"),
        ("FROM none", "Dockerfile:2: FROM: image \"none\" not found"),
    ])
    func refusesWithThePlace(instruction: String, message: String) async throws {
        for name in ["a", "b", "dir/c", "secret"] { try scratch.write("context/" + name, name) }
        try scratch.write("context/.dockerignore", "secret\n")
        let error = await #expect(throws: ImageError.self) {
            try await build("FROM scratch\n" + instruction + "\n")
        }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
        #expect(try await store.list().isEmpty)
    }

    @Test func namesAndGarbage() async throws {
        try scratch.write("context/a", "a")
        let built = try await build("FROM scratch\nCOPY a /a\n")
        let layer = try #require(try await store.resolve("test").layers.first)
        try await store.tag("test", as: "reg:5000/other:1")
        #expect(try await store.list().map(\.reference) == ["docker.io/library/test:latest", "reg:5000/other:1"])
        #expect(try await store.resolve("test@\(built.digest)").digest == built.digest)
        #expect(try await store.inspect(String(built.id.dropFirst(7).prefix(12))).id == built.id)
        try await store.remove("test")
        #expect(Files.exists(layer))
        await #expect(throws: ImageError.notFound("test")) { try await store.resolve("test") }
        #expect(try await store.remove(built.id) == ["reg:5000/other:1"])
        #expect(try Files.names(in: store.root + "/blobs/sha256").isEmpty)
        #expect(!Files.exists(layer))
    }

    @Test func builtInNamesAreReserved() async throws {
        await #expect(throws: ImageError.reserved("host")) { try await store.tag("host", as: "host") }
        await #expect(throws: ImageError.reserved("scratch")) { try await store.remove("scratch") }
        await #expect(throws: ImageError.self) { try await store.resolve("scratch") }
    }

    @Test func noOtherUserReachesIt() async throws {
        // As an earlier version has made it.
        try Files.makeDirectories(store.root)
        chmod(store.root, 0o755)
        try scratch.write("context/tool", "#!/bin/sh\necho ran\n", mode: 0o4755)
        _ = try await build("FROM scratch\nCOPY tool /tool\n")
        #expect(try Files.status(store.root)?.st_mode == S_IFDIR | 0o700)
        let tool = try #require(try await store.resolve("test").layers.first) + "/tool"
        #expect(try Files.status(tool)?.st_mode == S_IFREG | 0o4755)
        guard geteuid() == 0 else { return }
        chmod(scratch.path, 0o755)
        #expect(system("setpriv --reuid=65534 --regid=65534 --clear-groups \(tool) > /dev/null 2>&1") != 0)
        #expect(system("\(tool) > /dev/null") == 0)
    }

    /// What COPY must not read, from a context or another stage.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            ("FROM scratch\nCOPY links /links\nFROM scratch\nCOPY --from=0 /links/out/secret /s", "is not in stage 0"),
            ("FROM scratch\nCOPY links/out/secret /s", "\"links/out/secret\" is not in the context"),
            ("FROM scratch\nCOPY pipe /s", "neither a file, a directory nor a link"),
            ("FROM host\nCOPY --from=host /dev/zero /s", "neither a file, a directory nor a link"),
            ("FROM scratch\nCOPY huge /s", "more than a layer may have"),
        ])
    func readsOnlyFilesThatAreThere(dockerfile: String, message: String) async throws {
        try scratch.write("outside/secret", "secret")
        try Files.makeDirectories(context + "/links")
        try #require(symlink(scratch.path + "/outside", context + "/links/out") == 0)
        try #require(mkfifo(context + "/pipe", 0o600) == 0)
        try scratch.write("context/huge", "")
        try #require(truncate(context + "/huge", 1 << 40) == 0)
        let error = await #expect(throws: ImageError.self) { try await build(dockerfile + "\n") }
        #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    }

    @Test func treesThatAreTooDeepAreRefused() async throws {
        try scratch.write("context/tree/" + (0..<300).map { "d\($0)" }.joined(separator: "/") + "/f", "")
        let error = await #expect(throws: ImageError.self) { try await build("FROM scratch\nCOPY tree /tree\n") }
        #expect(error?.description.contains("more than 100 directories within each other") == true)
    }

    @Test func severalProcessesAtOnce() async throws {
        // Two stores on one directory take the same locks as two processes do.
        let other = ImageStore(root: store.root)
        try scratch.write("context/a", "a")
        try scratch.write("context/Dockerfile", "FROM scratch\nARG N\nENV N=$N\nCOPY a /a\n")
        let context = context
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                let store = number % 2 == 0 ? store : other
                group.addTask {
                    var options = BuildOptions(context: context)
                    options.names = ["test:\(number)"]
                    options.arguments = ["N": String(number)]
                    _ = try await store.build(options) { _ in }
                    _ = try await store.resolve("test:\(number)")
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.list().count == 8)
    }

    @Test func damagedIndexIsNamed() async throws {
        try Files.makeDirectories(store.root)
        try Files.writeAtomically(Array("{".utf8), to: store.root + "/index.json")
        let error = await #expect(throws: ImageError.self) { try await store.resolve("test") }
        #expect(error?.description.contains(store.root + "/index.json") == true)
    }
}
