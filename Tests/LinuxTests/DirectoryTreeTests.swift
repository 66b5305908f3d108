import Glibc
import Testing

@testable import Linux

@Suite struct DirectoryTreeTests {
    /// Makes directories one in the other, a file in each, by descriptors: their path is longer than any call takes.
    private static func makeTree(_ path: String, levels: Int) throws {
        try makeDirectory(path)
        var directory = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        for _ in 0..<levels {
            try Descriptor.open("file", in: directory, O_WRONLY | O_CREAT, mode: 0o600).write([1])
            let made = directory.withRawValue { mkdirat($0, "a", 0o700) }
            try #require(made == 0)
            directory = try Descriptor.open("a", in: directory, O_RDONLY | O_DIRECTORY)
        }
    }

    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = "/tmp/martlet-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try makeDirectory(directory)
        do { try await body(directory) } catch {
            await Blocking.run { try? removeTree(directory) }
            throw error
        }
        try await Blocking.run { () throws(SystemError) in try removeTree(directory) }
        #expect(access(directory, F_OK) != 0)
    }

    /// On a thread of `Blocking`, whose stack is small.
    @Test(arguments: [3, 1500, 6000]) func treesOfAnyDepthAreMeasuredAndRemoved(levels: Int) async throws {
        try await withDirectory { directory in
            try await Blocking.run { () throws in try Self.makeTree("\(directory)/tree", levels: levels) }
            let size = await Blocking.run { diskUsage("\(directory)/tree") }
            var one = stat()
            try #require(lstat("\(directory)/tree/file", &one) == 0)
            #expect(size >= Int(one.st_blocks) * 512 * levels)
            try await Blocking.run { () throws(SystemError) in try removeTree("\(directory)/tree") }
            #expect(try listDirectory(directory) == [])
        }
    }

    @Test func whatIsOutsideStaysAndNamesNeedNotBeText() async throws {
        try await withDirectory { directory in
            try makeDirectory("\(directory)/outside")
            try replaceFile("\(directory)/outside/kept", [1])
            try makeDirectory("\(directory)/tree/inner")
            try #require(symlink("\(directory)/outside", "\(directory)/tree/inner/link") == 0)
            let odd = Array("\(directory)/tree/".utf8CString.dropLast()) + [CChar(bitPattern: 0xff), 0]
            try #require(mkdir(odd, 0o700) == 0)
            try removeTree("\(directory)/tree")
            #expect(try listDirectory(directory) == ["outside"])
            #expect(try listDirectory("\(directory)/outside") == ["kept"])
            try removeTree("\(directory)/outside/kept")
            try removeTree("\(directory)/outside/kept")
            #expect(try listDirectory("\(directory)/outside") == [])
        }
    }

    @Test func aFileOfSeveralNamesIsMeasuredOnce() async throws {
        try await withDirectory { directory in
            try replaceFile("\(directory)/one", [UInt8](repeating: 1, count: 100_000))
            let before = diskUsage(directory)
            try #require(link("\(directory)/one", "\(directory)/other") == 0)
            #expect(before >= 100_000)
            #expect(diskUsage(directory) - before < 100_000)
        }
    }

    @Test func directoriesOfManyLevelsAreMade() async throws {
        try await withDirectory { directory in
            let path = directory + String(repeating: "/a", count: 1900)
            try await Blocking.run { () throws(SystemError) in
                try makeDirectory(path)
                try makeDirectory(path)
            }
            #expect(access(path, F_OK) == 0)
        }
    }

    @Test func aDirectoryThatCannotBeMadeSaysWhy() throws {
        let above = "/sys/martlet-test"
        try #require(mkdir(above, 0o755) != 0)
        let reason = errno
        try #require(reason != ENOENT)
        let error = #expect(throws: SystemError.self) { try makeDirectory("\(above)/inner") }
        #expect(error == SystemError("mkdir", errno: reason, above))
    }

    /// With modes that keep the owner from reading the directory's names, and from going further than to them.
    @Test(arguments: [0o000, 0o444] as [mode_t]) func directoriesThatCannotBeReadAreLeftOut(mode: mode_t) async throws {
        try await withDirectory { directory in
            for name in ["a", "b", "c"] {
                try makeDirectory("\(directory)/\(name)/closed")
                try replaceFile("\(directory)/\(name)/closed/file", [UInt8](repeating: 1, count: 100_000))
                try replaceFile("\(directory)/\(name)/file", [UInt8](repeating: 1, count: 100_000))
                try #require(chmod("\(directory)/\(name)/closed", mode) == 0)
            }
            // Which the Glibc module leaves out.
            let symbol = try #require(dlsym(nil, "setfsuid"))
            let setfsuid = unsafeBitCast(symbol, to: (@convention(c) (uid_t) -> CInt).self)
            let size = await Blocking.run {
                // Root may read everything; this thread as another user may not. Without root, nothing changes.
                _ = setfsuid(65534)
                defer { _ = setfsuid(getuid()) }
                return diskUsage(directory)
            }
            #expect((300_000..<400_000).contains(size))
            try removeTree(directory, opening: true)
        }
    }

    @Test(arguments: [(moves: 1, isWhole: true), (moves: .max, isWhole: false)])
    func aTreeThatIsMovedAboutIsMeasuredAgain(_ row: (moves: Int, isWhole: Bool)) async throws {
        try await withDirectory { directory in
            for name in ["a/moved", "b"] { try makeDirectory("\(directory)/\(name)") }
            try replaceFile("\(directory)/a/moved/file", [UInt8](repeating: 1, count: 100_000))
            var file = stat()
            try #require(lstat("\(directory)/a/moved/file", &file) == 0)
            var place = "a"
            var moves = 0
            let size = diskUsage(directory) { entry in
                guard entry.st_ino == file.st_ino, moves < row.moves else { return }
                let other = place == "a" ? "b" : "a"
                #expect(rename("\(directory)/\(place)/moved", "\(directory)/\(other)/moved") == 0)
                place = other
                moves += 1
            }
            #expect(size >= 100_000)
            #expect((size == diskUsage(directory)) == row.isWhole)
        }
    }
}
