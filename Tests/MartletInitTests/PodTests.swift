import CInitProtocol
import Glibc
import Linux
import TestSupport
import Testing

/// The init of a pod by its protocol. Containers run in the host's root, so that no test needs an image.
@Suite(.enabled(if: getuid() == 0, "needs root")) struct PodTests {
    @Test func aContainersLife() async throws {
        let pod = try await TestInit()
        let empty = try await pod.request(.list, tag: 77)
        #expect(empty.status == 0 && empty.tag == 77)
        let began = try await pod.shell("a", "echo out; echo err >&2; printf end; exit 3")
        #expect(began.process > 1, "in the numbers of this namespace")
        let end = try await pod.end(of: "a")
        #expect(end.number(1) == 3 && end.number(2) == 0)
        let words = pod.exits.split(separator: " ")
        #expect(words.count == 5 && words[0] == "3" && words[1] == "0" && words[4] == "a\n", "\(pod.exits)")
        let lines = pod.log("a").split(separator: "\n").map { $0.split(separator: " ", maxSplits: 3) }
        #expect(
            Set(lines.map { $0.dropFirst().joined(separator: " ") }) == [
                "stdout F out", "stderr F err", "stdout P end",
            ])
        let stamp = try #require(lines.first?.first)
        #expect(stamp.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z/) != nil, "\(stamp)")
        // A second connection, such as a new agent's, learns the same.
        let again = try await pod.request(.forget, body: terminated("a"))
        #expect(again.status == 0)
        #expect(try await pod.request(.forget, body: terminated("a")).status == ESRCH)
    }

    @Test func listsWhatRunsAndWhatHasEnded() async throws {
        let pod = try await TestInit()
        let running = try await pod.shell("runs", "exec sleep 100")
        try await pod.shell("ends", "exit 9")
        try await eventually("the end is recorded") { pod.exits.hasSuffix(" ends\n") }
        var states: [String: TestInit.Message] = [:]
        try await pod.request(InitRequest.list.rawValue) { states[$0.text(from: 44)] = $0 }
        #expect(states.keys.sorted() == ["ends", "runs"])
        #expect(states["runs"]?.number(0) == 1 && states["runs"]?.process == running.process)
        #expect(states["ends"]?.number(0) == 0 && states["ends"]?.number(1) == 9)
    }

    @Test func signalsAContainer() async throws {
        let pod = try await TestInit()
        try await pod.request(.list)
        try await pod.shell("a", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done")
        try await pod.shell("b", "exec sleep 100")
        try await eventually("it has set its trap") { pod.log("a").hasSuffix("ready\n") }
        #expect(try await pod.request(.forget, body: terminated("a")).status == EBUSY)
        #expect(try await pod.request(.signal, body: numbers(UInt32(SIGTERM)) + terminated("a")).status == 0)
        let a = try await pod.end(of: "a")
        #expect(a.number(1) == 5 && a.number(2) == 0)
        #expect(try await pod.request(.signal, body: numbers(UInt32(SIGKILL)) + terminated("b")).status == 0)
        let b = try await pod.end(of: "b")
        #expect(b.number(1) == 128 + 9 && b.number(2) == 9)
        for name in ["a", "absent"] {
            let answer = try await pod.request(.signal, body: numbers(UInt32(SIGTERM)) + terminated(name))
            #expect(answer.status == ESRCH)
        }
    }

    @Test func executesInAContainer() async throws {
        let pod = try await TestInit()
        try await pod.shell("a", "exec sleep 100")
        let (input, output, errors) = (try makePipe(), try makePipe(), try makePipe())
        let list = try makeMemoryFile(
            "operations", operation(.join) + execute(["sh", "-c", "cat; echo e >&2; exit 6"]))
        let streams = numbers(UInt32(1), UInt32(2), UInt32(3))
        let answer = try await pod.request(
            .exec, tag: 42, body: streams + terminated("a"), [list, input.reader, output.writer, errors.writer])
        #expect(answer.status == 0 && answer.process > 1)
        for end in [input.reader, output.writer, errors.writer] { end.close() }
        try input.writer.write(Array("in".utf8))
        input.writer.close()
        let texts = try await Blocking.run { () throws(SystemError) in
            (try output.reader.readToEnd(), try errors.reader.readToEnd())
        }
        #expect(texts.0 == Array("in".utf8) && texts.1 == Array("e\n".utf8))
        let end = try await pod.receive()
        #expect(end.event == .execExit && end.tag == 42 && end.number(0) == 6)
        #expect(try await pod.request(.exec, body: streams + terminated("a"), []).status == EBADMSG)
        #expect(try await pod.request(.exec, body: streams + terminated("absent"), [list]).status == ESRCH)
    }

    /// More than anybody has open, and none that has ended is in the way.
    @Test func executesManyAtOnce() async throws {
        let pod = try await TestInit()
        try await pod.shell("a", "exec sleep 1000")
        let (input, output) = (try makePipe(), try makePipe())
        let list = try makeMemoryFile("operations", operation(.join) + execute(["cat"]))
        let streams = numbers(UInt32(1), UInt32(2), UInt32(2))
        for tag in 1...300 {
            let answer = try await pod.request(
                .exec, tag: UInt32(tag), body: streams + terminated("a"), [list, input.reader, output.writer])
            try #require(answer.status == 0, "program \(tag): \(answer.status)")
        }
        for end in [input.reader, input.writer] { end.close() }
        var ended: Set<UInt32> = []
        while ended.count < 300 {
            let message = try await pod.receive()
            if message.event == .execExit { ended.insert(message.tag) }
        }
        let last = try makeMemoryFile("operations", operation(.join) + execute(["true"]))
        #expect(try await pod.request(.exec, tag: 301, body: streams + terminated("a"), [last]).status == 0)
    }

    @Test func attachesToAContainersStreams() async throws {
        let pod = try await TestInit()
        try await pod.request(.list)
        try await pod.shell("a", flags: [.stdin, .stdinOnce], "while read line; do echo \"<$line>\"; done; exit 4")
        let output = try makePipe()
        let answer = try await pod.request(.attach, body: terminated("a"), [output.writer])
        output.writer.close()
        let input = try #require(answer.descriptors.first)
        try input.write(Array("x\ny\n".utf8))
        // stdinOnce: the end of this client's input is the program's.
        input.close()
        let text = try await Blocking.run { () throws(SystemError) in try output.reader.readToEnd() }
        #expect(text == Array("<x>\n<y>\n".utf8))
        #expect(try await pod.end(of: "a").number(1) == 4)
        #expect(pod.log("a").contains("stdout F <x>\n"))
        #expect(try await pod.request(.attach, body: terminated("a"), []).status == ESRCH)
    }

    /// A client that does not read loses its stream; the program and its log go on.
    @Test func aSlowClientHoldsUpNothing() async throws {
        let pod = try await TestInit()
        try await pod.request(.list)
        try await pod.shell("a", flags: [.stdin], "read go; head -c 300000 /dev/zero | tr '\\0' x; echo; echo done")
        let output = try makePipe()
        let answer = try await pod.request(.attach, body: terminated("a"), [output.writer])
        output.writer.close()
        let input = try #require(answer.descriptors.first)
        try input.write(Array("\n".utf8))
        #expect(try await pod.end(of: "a").number(1) == 0)
        #expect(pod.log("a").hasSuffix("stdout F done\n"))
        #expect(pod.log("a").utf8.count > 300_000)
        let text = try await Blocking.run { () throws(SystemError) in try output.reader.readToEnd() }
        #expect((1..<300_000).contains(text.count))
    }

    @Test(
        arguments: [
            (0, [], ENOSYS), (99, [], ENOSYS), (InitRequest.start.rawValue, [], EINVAL),
            (InitRequest.start.rawValue, Array("unended".utf8), EINVAL), (InitRequest.exec.rawValue, [], ESRCH),
            (InitRequest.signal.rawValue, [1, 2], ESRCH), (InitRequest.forget.rawValue, Array("unended".utf8), ESRCH),
            (InitRequest.attach.rawValue, [0], ESRCH),
            (InitRequest.socket.rawValue, [255, 255, 255, 255], EAFNOSUPPORT),
        ] as [(UInt8, [UInt8], Int32)]) func refuses(_ type: UInt8, _ body: [UInt8], _ status: Int32) async throws
    {
        let pod = try await TestInit()
        let answer = try await pod.request(type, tag: 5, body: body)
        #expect(answer.status == status && answer.tag == 5)
        #expect(try await pod.request(.list).status == 0, "it goes on")
    }

    @Test func refusesWhatDoesNotFit() async throws {
        let pod = try await TestInit()
        try await pod.shell("a", "exec sleep 100")
        let list = try makeMemoryFile("operations", execute(["true"]))
        let logs = SharedDescriptor(try Descriptor.open(pod.directory.path, O_PATH | O_DIRECTORY))
        func start(_ name: String, log: String = "x", in directory: UInt32 = 1, target: String = "") async throws
            -> Int32
        {
            try await pod.request(
                .start, body: numbers(directory, UInt32(0)) + terminated(name, log, target), [list, logs]
            ).status
        }
        #expect(try await start("a") == EEXIST)
        #expect(try await start("b", target: "absent") == ESRCH)
        #expect(try await start(String(repeating: "k", count: Int(max_key_size))) == ENAMETOOLONG)
        #expect(try await start("b", log: String(repeating: "p", count: 64)) == ENAMETOOLONG)
        for log in ["../x", "/tmp/x", ""] { #expect(try await start("b", log: log) == EINVAL) }
        for place in [0, 2, UInt32.max] { #expect(try await start("b", in: place) == EINVAL, "no directory") }
        // A packet without a header is nobody's request.
        try pod.send([1, 2, 3])
        #expect(try await pod.request(.list).status == 0)
    }

    @Test func hasAMaxOfConnections() async throws {
        let pod = try await TestInit()
        let others = try (0..<9).map { _ in try pod.connect() }
        defer { for other in others { other.close() } }
        let last = others[8]
        let ended = try await Blocking.run { () throws(SystemError) in try last.receive().bytes.isEmpty }
        #expect(ended, "the tenth connection is closed")
        #expect(try await pod.request(.list).status == 0)
    }

    @Test func aSocketIsMadeInThePod() async throws {
        let pod = try await TestInit()
        let answer = try await pod.request(.socket, body: numbers(UInt32(AF_INET), UInt32(SOCK_DGRAM.rawValue)))
        let socket = try #require(answer.descriptors.first)
        #expect(answer.status == 0)
        #expect(try socket.status().st_mode & S_IFMT == S_IFSOCK)
    }

    /// Everything in a PID namespace ends with its first process, which nothing but its end ends.
    @Test func endsWithAllThatIsInIt() async throws {
        let pod = try await TestInit()
        let container = try await pod.shell("a", "exec sleep 100")
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGPIPE] { kill(pod.pid, signal) }
        #expect(try await pod.request(.list).status == 0)
        let header = InitHeader(type: InitRequest.end.rawValue, flags: 0, status: 0, tag: 1)
        try pod.send(withUnsafeBytes(of: header) { Array($0) })
        try await eventually("the pod has ended") {
            ProcessIdentity(pid: pod.pid) == nil && ProcessIdentity(pid: container.process) == nil
        }
    }

    /// A line longer than the buffer is several parts; what follows is whole again.
    @Test func splitsLongLines() async throws {
        let pod = try await TestInit()
        try await pod.request(.list)
        try await pod.shell("a", "head -c 40000 /dev/zero | tr '\\0' x; echo; echo short")
        _ = try await pod.end(of: "a")
        let lines = pod.log("a").split(separator: "\n").map { $0.split(separator: " ", maxSplits: 3) }
        #expect(lines.map { $0[2] } == ["P", "P", "F", "F"])
        #expect(lines.map { $0[3].utf8.count } == [16_384, 16_384, 40_000 - 2 * 16_384, 5])
    }

    /// Five files of some 10 MiB at most, no line torn or lost at the seams.
    @Test func putsFullLogsAway() async throws {
        let pod = try await TestInit()
        try await pod.request(.list)
        // 1 kB lines that count up, 64 MiB with their heads.
        try await pod.shell("a", "awk 'BEGIN { for (i = 0; i < 65000; i++) printf \"%01000d\\n\", i }'")
        _ = try await pod.end(of: "a")
        let names = try listDirectory(pod.directory.path).filter { $0.hasPrefix("a.log") }.sorted()
        #expect(names.count == 5 && names[0] == "a.log", "\(names)")
        #expect(names.dropFirst().allSatisfy { $0.wholeMatch(of: /a\.log\.\d{8}-\d{6}\.\d{9}/) != nil }, "\(names)")
        var kept: [Int] = []
        for name in Array(names.dropFirst()) + ["a.log"] {
            let text = try readFile("\(pod.directory.path)/\(name)")
            #expect(text.utf8.count < 11 << 20)
            kept += text.split(separator: "\n").compactMap { Int($0.suffix(1000)) }
        }
        #expect(kept.last == 64_999 && kept == Array((65_000 - kept.count)..<65_000), "\(kept.count)")
    }
}
