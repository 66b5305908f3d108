import Glibc
import Testing

@testable import Linux

/// What other users of the machine could read, or put in the way.
@Suite struct PrivacyTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { try? removeTree(directory) }
        try body(directory)
    }

    private func mode(_ path: String) throws -> mode_t {
        var status = stat()
        try #require(lstat(path, &status) == 0, "\(path)")
        return status.st_mode & 0o7777
    }

    @Test func aPrivateDirectoryIsClosedToOthers() throws {
        try withDirectory { directory in
            let path = "\(directory)/a/b"
            try makePrivateDirectory(path)
            #expect(try mode(path) == 0o700)
            #expect(try mode("\(directory)/a") == 0o700)
            // What an earlier version has made.
            chmod(path, 0o711)
            for name in ["open", "tool"] { try replaceFile("\(path)/\(name)", [1], mode: 0o755) }
            try #require(symlink("open", "\(path)/link") == 0 && mkfifo("\(path)/pipe", 0o644) == 0)
            try makePrivateDirectory(path)
            try makeFilesPrivate(in: path)
            #expect(try mode(path) == 0o700)
            #expect(try mode("\(path)/open") == 0o700)
        }
    }

    @Test(.enabled(if: getuid() == 0, "needs root")) func anothersDirectoryIsNotOnesOwn() throws {
        try withDirectory { directory in
            let refusal = { (path: String) in SystemError("own", errno: EPERM, path) }
            let theirs = "\(directory)/theirs"
            try makeDirectory(theirs, exactly: 0o777)
            chown(theirs, 65534, 65534)
            #expect(throws: refusal(theirs)) { try makePrivateDirectory(theirs) }
            #expect(try mode(theirs) == 0o777)
            // A link of theirs to a directory of one's own would have its mode changed.
            let link = "\(directory)/link"
            try makeDirectory("\(directory)/own", exactly: 0o755)
            try #require(symlink("own", link) == 0 && lchown(link, 65534, 65534) == 0)
            #expect(throws: refusal(link)) { try makePrivateDirectory(link) }
            #expect(try mode("\(directory)/own") == 0o755)
            // In a directory such as /tmp the one above could be moved away.
            chmod(directory, 0o1777)
            #expect(throws: refusal(theirs)) { try makePrivateDirectory("\(theirs)/profile") }
        }
    }

    @Test func modesThatOthersNeedDoNotDependOnTheUmask() throws {
        try withDirectory { directory in
            // The umask is the whole process's: a program of its own tries it.
            let path = "\(directory)/a/b"
            try makeDirectory(path, exactly: 0o1777)
            #expect(try mode(path) == 0o1777)
            #expect(try mode("\(directory)/a") == 0o1777)
            chmod(path, 0o700)
            try makeDirectory(path, exactly: 0o1777)
            #expect(try mode(path) == 0o700, "only of what it makes")
        }
    }

    @Test func socketsAreForTheirUserFromTheBeginning() throws {
        try withDirectory { directory in
            let packets = try PacketSocket.listen("\(directory)/packets")
            let stream = try UnixSocket.listen("\(directory)/stream")
            #expect(try mode("\(directory)/packets") == 0o600)
            #expect(try mode("\(directory)/stream") == 0o600)
            packets.close()
            stream.close()
        }
    }

    @Test func aFileThatIsReplacedGoesThroughNothingOfOthers() throws {
        try withDirectory { directory in
            let (path, theirs) = ("\(directory)/f", "\(directory)/theirs")
            try replaceFile(theirs, [1])
            for plant: (String) -> Int32 in [
                { symlink("theirs", $0) }, { link(theirs, $0) }, { mkfifo($0, 0o666) },
                // What a process that died has left.
                { creat($0, 0o666) >= 0 ? 0 : -1 },
            ] {
                try #require(plant(path + ".new") == 0)
                try replaceFile(path, [2], mode: 0o640)
                #expect(try readBytes(path) == [2] && readBytes(theirs) == [1])
                #expect(try mode(path) == 0o640 && mode(theirs) == 0o600)
                #expect(try namesInDirectory(directory).sorted() == ["f", "theirs"])
            }
            try #require(symlink("theirs", "\(directory)/lock") == 0)
            #expect(throws: SystemError.self) { _ = try FileLock("\(directory)/lock", .shared) }
        }
    }

    @Test func aPathLeadsNoFurtherThanItMay() throws {
        try withDirectory { directory in
            try makeDirectory("\(directory)/root/d")
            for path in ["outside", "root/d/f"] { try replaceFile("\(directory)/\(path)", [1]) }
            for (name, target) in [
                ("out", "../outside"), ("absolute", "/d/f"), ("in", "d/f"), ("magic", "/proc/self/fd/0"),
            ] {
                try #require(symlink(target, "\(directory)/root/\(name)") == 0)
            }
            let root = try Descriptor.open("\(directory)/root", O_RDONLY | O_DIRECTORY)
            func opens(_ path: String, _ confinement: Confinement) -> Bool {
                (try? Descriptor.open(path, in: root, O_RDONLY | O_NONBLOCK, confined: confinement)) != nil
            }
            #expect(opens("d/f", [.beneath, .noLinks]) && opens("in", .beneath) && opens("absolute", .inRoot))
            for path in ["out", "../outside", "\(directory)/outside", "absolute", "magic"] {
                #expect(!opens(path, .beneath), "\(path)")
                #expect(!opens(path, [.beneath, .noLinks]), "\(path)")
            }
            #expect(!opens("in", [.beneath, .noLinks]) && !opens("out", .inRoot) && !opens("magic", .noMagicLinks))
        }
    }
}
