import Glibc
import Testing

@testable import Linux

@Suite struct FolderTreeTests {
    /// Makes folders one in the other, a file in each, by descriptors: their path is longer than any call takes.
    private static func makeTree(_ path: String, levels: Int) throws {
        try makeFolder(path)
        var folder = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        for _ in 0..<levels {
            try Descriptor.open("file", in: folder, O_WRONLY | O_CREAT, mode: 0o600).write([1])
            let made = folder.withRawValue { mkdirat($0, "a", 0o700) }
            try #require(made == 0)
            folder = try Descriptor.open("a", in: folder, O_RDONLY | O_DIRECTORY)
        }
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/martlet-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try makeFolder(folder)
        do { try await body(folder) } catch {
            await Blocking.run { try? removeTree(folder) }
            throw error
        }
        try await Blocking.run { () throws(SystemError) in try removeTree(folder) }
        #expect(access(folder, F_OK) != 0)
    }

    /// On a thread of `Blocking`, whose stack is small.
    @Test(arguments: [3, 1500, 6000]) func treesOfAnyDepthAreMeasuredAndRemoved(levels: Int) async throws {
        try await withFolder { folder in
            try await Blocking.run { () throws in try Self.makeTree("\(folder)/tree", levels: levels) }
            let size = await Blocking.run { diskUsage("\(folder)/tree") }
            var one = stat()
            try #require(lstat("\(folder)/tree/file", &one) == 0)
            #expect(size >= Int(one.st_blocks) * 512 * levels)
            try await Blocking.run { () throws(SystemError) in try removeTree("\(folder)/tree") }
            #expect(try listFolder(folder) == [])
        }
    }

    @Test func whatIsOutsideStaysAndNamesNeedNotBeText() async throws {
        try await withFolder { folder in
            try makeFolder("\(folder)/outside")
            try replaceFile("\(folder)/outside/kept", [1])
            try makeFolder("\(folder)/tree/inner")
            try #require(symlink("\(folder)/outside", "\(folder)/tree/inner/link") == 0)
            let odd = Array("\(folder)/tree/".utf8CString.dropLast()) + [CChar(bitPattern: 0xff), 0]
            try #require(mkdir(odd, 0o700) == 0)
            try removeTree("\(folder)/tree")
            #expect(try listFolder(folder) == ["outside"])
            #expect(try listFolder("\(folder)/outside") == ["kept"])
            try removeTree("\(folder)/outside/kept")
            try removeTree("\(folder)/outside/kept")
            #expect(try listFolder("\(folder)/outside") == [])
        }
    }

    @Test func aFileOfSeveralNamesIsMeasuredOnce() async throws {
        try await withFolder { folder in
            try replaceFile("\(folder)/one", [UInt8](repeating: 1, count: 100_000))
            let before = diskUsage(folder)
            try #require(link("\(folder)/one", "\(folder)/other") == 0)
            #expect(before >= 100_000)
            #expect(diskUsage(folder) - before < 100_000)
        }
    }

    @Test func foldersOfManyLevelsAreMade() async throws {
        try await withFolder { folder in
            let path = folder + String(repeating: "/a", count: 1900)
            try await Blocking.run { () throws(SystemError) in
                try makeFolder(path)
                try makeFolder(path)
            }
            #expect(access(path, F_OK) == 0)
        }
    }

    @Test func aFolderThatCannotBeMadeSaysWhy() throws {
        let above = "/sys/martlet-test"
        try #require(mkdir(above, 0o755) != 0)
        let reason = errno
        try #require(reason != ENOENT)
        let error = #expect(throws: SystemError.self) { try makeFolder("\(above)/inner") }
        #expect(error == SystemError("mkdir", errno: reason, above))
    }

    /// With modes that keep the owner from reading the folder's names, and from going further than to them.
    @Test(arguments: [0o000, 0o444] as [mode_t]) func foldersThatCannotBeReadAreLeftOut(mode: mode_t) async throws {
        try await withFolder { folder in
            for name in ["a", "b", "c"] {
                try makeFolder("\(folder)/\(name)/closed")
                try replaceFile("\(folder)/\(name)/closed/file", [UInt8](repeating: 1, count: 100_000))
                try replaceFile("\(folder)/\(name)/file", [UInt8](repeating: 1, count: 100_000))
                try #require(chmod("\(folder)/\(name)/closed", mode) == 0)
            }
            // Which the Glibc module leaves out.
            let symbol = try #require(dlsym(nil, "setfsuid"))
            let setfsuid = unsafeBitCast(symbol, to: (@convention(c) (uid_t) -> CInt).self)
            let size = await Blocking.run {
                // Root may read everything; this thread as another user may not. Without root, nothing changes.
                _ = setfsuid(65534)
                defer { _ = setfsuid(getuid()) }
                return diskUsage(folder)
            }
            #expect((300_000..<400_000).contains(size))
            try removeTree(folder, opening: true)
        }
    }

    @Test(arguments: [(moves: 1, isWhole: true), (moves: .max, isWhole: false)])
    func aTreeThatIsMovedAboutIsMeasuredAgain(_ row: (moves: Int, isWhole: Bool)) async throws {
        try await withFolder { folder in
            for name in ["a/moved", "b"] { try makeFolder("\(folder)/\(name)") }
            try replaceFile("\(folder)/a/moved/file", [UInt8](repeating: 1, count: 100_000))
            var file = stat()
            try #require(lstat("\(folder)/a/moved/file", &file) == 0)
            var place = "a"
            var moves = 0
            let size = diskUsage(folder) { entry in
                guard entry.st_ino == file.st_ino, moves < row.moves else { return }
                let other = place == "a" ? "b" : "a"
                #expect(rename("\(folder)/\(place)/moved", "\(folder)/\(other)/moved") == 0)
                place = other
                moves += 1
            }
            #expect(size >= 100_000)
            #expect((size == diskUsage(folder)) == row.isWhole)
        }
    }
}
