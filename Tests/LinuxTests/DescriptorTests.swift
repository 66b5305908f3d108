import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Linux

@Suite(.timeLimit(.minutes(1))) struct DescriptorTests {
    private func null() throws -> Descriptor {
        try Descriptor.open("/dev/null", O_RDONLY)
    }

    private func isOpen(_ number: Int32) -> Bool { fcntl(number, F_GETFD) != -1 }

    /// A number too high for other tests to be given it meanwhile.
    private func placed(at number: Int32) throws -> Int32 {
        let opened = try null()
        return try opened.withRawValue { own in try check("dup") { fcntl(own, F_DUPFD_CLOEXEC, number) } }
    }

    @Test func closesWithItsValueAndNotOnceReleased() throws {
        let number = try placed(at: 700)
        do { _ = Descriptor(owning: number) }
        #expect(!isOpen(number))
        let other = try placed(at: 710)
        do { #expect(Descriptor(owning: other).release() == other) }
        #expect(isOpen(other))
        _ = Descriptor(owning: other)
        #expect(!isOpen(other))
    }

    @Test func keepsTheErrorOfTheCallBefore() throws {
        errno = 0
        do {
            let descriptor = try null()
            errno = EXDEV
            _ = consume descriptor
        }
        #expect(errno == EXDEV)
    }

    @Test func aUseAfterCloseIsAnErrorAndNoCall() throws {
        let shared = SharedDescriptor(try null())
        shared.close()
        shared.close()
        #expect(shared.isClosed)
        #expect(throws: SystemError("use", errno: EBADF, "a descriptor that is closed")) {
            try shared.withRawValue { _ in Issue.record("called with a number that is not its own") }
        }
    }

    @Test func theNumberStaysItsOwnWhileItIsUsed() throws {
        let number = try placed(at: 720)
        let shared = SharedDescriptor(owning: number)
        try shared.withRawValue { lent in
            shared.close()
            #expect(lent == number && isOpen(number))
        }
        #expect(!isOpen(number))
    }

    @Test func closingASocketEndsTheReadOfAnotherThread() async throws {
        let (one, other) = try PacketSocket.pair()
        let reading = Mutex(false)
        async let received = Blocking.run { () throws(SystemError) in
            reading.withLock { $0 = true }
            return try one.receive()
        }
        try await eventually("the other thread reads") { reading.withLock { $0 } }
        one.close()
        // Before the read it is an error, during it the end.
        if let message = try? await received { #expect(message.bytes.isEmpty) }
        other.close()
    }
}

@Suite(.timeLimit(.minutes(1))) struct FileLockTests {
    @Test func aRefusedLockTouchesNoDescriptorOfOthers() async throws {
        let path = "/tmp/martlet-lock-\(getpid())"
        defer { unlink(path) }
        let lock = try FileLock(path, .exclusive)
        let faults = try await withThrowingTaskGroup(of: Int.self) { group in
            let ended = Mutex(false)
            group.addTask {
                // One who opens and uses files of its own.
                await Blocking.run {
                    var faults = 0
                    while !ended.withLock({ $0 }) {
                        let own = open("/dev/null", O_RDONLY | O_CLOEXEC)
                        sched_yield()
                        // By hand, for an owner would end the test where its file was closed by another.
                        if close(own) != 0 { faults += 1 }
                    }
                    return faults
                }
            }
            defer { ended.withLock { $0 = true } }
            try await Blocking.run { () throws(SystemError) in
                for _ in 0..<2000 {
                    let second = try FileLock(trying: path)
                    if second != nil { Issue.record("a lock that is held was given again") }
                }
            }
            ended.withLock { $0 = true }
            return try await group.next() ?? 0
        }
        #expect(faults == 0)
        _ = consume lock
        // A child that another test is just starting has a copy of the descriptor until it executes its program.
        try await eventually("the lock is free") { try FileLock(trying: path) != nil }
    }
}

@Suite(.timeLimit(.minutes(1))) struct SharedDirectoryTests {
    @Test func oneThatOthersRemoveWhileItIsMadeIsMadeAgain() async throws {
        let top = "/tmp/martlet-shared-\(getpid())"
        try makeDirectory(top)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in ["one", "other"] {
                group.addTask {
                    try await Blocking.run { () throws(SystemError) in
                        for _ in 0..<300 {
                            try makeDirectory("\(top)/shared/\(name)")
                            rmdir("\(top)/shared/\(name)")
                            rmdir("\(top)/shared")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        try removeTree(top)
    }
}
