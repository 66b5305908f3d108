import Glibc
import KubernetesModel
import Linux
import SandboxNode
import TestSupport
import Testing

@testable import PodRuntime

/// Pods on the host's network, so that no test touches a link.
@Suite(.enabled(if: getuid() == 0, "needs root"), .timeLimit(.minutes(2))) struct SandboxRuntimeTests {
    @Test func aContainersLogExitAndRemoval() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["sh", "-c", "echo out; echo err >&2; printf end; exit 3"])
            let end = try await node.end(of: id)
            #expect(end.phase.code == 3)
            let lines = try node.log(id).split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1)[1] }
            #expect(lines.filter { $0.hasPrefix("stdout") } == ["stdout F out", "stdout P end"])
            #expect(lines.filter { $0.hasPrefix("stderr") } == ["stderr F err"])
            try await node.runtime.removeContainer(id)
            #expect(try await node.runtime.sandboxes().first?.containers.isEmpty == true)
        }
    }

    @Test(arguments: [
        (["nope"], #"exec: "nope": executable file not found in $PATH"#),
        (["/nope"], #"exec: "/nope": stat /nope: no such file or directory"#),
        (["/etc/passwd"], #"exec: "/etc/passwd": permission denied"#),
    ]) func aProgramThatCannotBeExecuted(arguments: [String], message: String) async throws {
        try await withRuntime { node in
            try await node.start("one")
            let error = await #expect(throws: RuntimeError.self) { try await node.run("one", arguments) }
            #expect(error?.description == message)
        }
    }

    @Test func aContainerHasItsOwnRootAndProcesses() async throws {
        try await withRuntime { node in
            try await node.start("one")
            try makeDirectory("\(node.directory)/volume")
            let script = """
                echo $$; hostname; echo /proc/[0-9]*; touch /etc/made /volume/made; touch /fixed/no 2>/dev/null ||
                echo fixed; touch /proc/sys/kernel/x 2>/dev/null || echo protected; ls \(node.directory) | wc -l
                """
            let id = try await node.run("one", ["sh", "-c", script]) { container in
                container.mounts = [
                    Mount(source: .path("\(node.directory)/volume"), target: "/volume", readOnly: false),
                    Mount(source: .path("\(node.directory)/volume"), target: "/fixed", readOnly: true),
                ]
            }
            #expect(try await node.end(of: id).phase.code == 0)
            let lines = try node.log(id).split(separator: "\n").map { $0.split(separator: " ", maxSplits: 3)[3] }
            #expect(lines == ["1", "one", "/proc/1", "fixed", "protected", "0"])
            #expect(access("/etc/made", F_OK) != 0, "the host's root stays as it was")
            #expect(access("\(node.directory)/volume/made", F_OK) == 0)
        }
    }

    @Test func executesWithStreamsAndWithATerminal() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["sleep", "1000"])
            let plain = try await node.runtime.execute(
                ExecConfiguration(container: id, arguments: ["sh", "-c", "cat; echo e >&2; exit 4"], stdin: true))
            let input = try #require(plain.stdin)
            try input.write(Array("in".utf8))
            input.close()
            #expect(try await text(plain.stdout) == "in")
            #expect(try await text(plain.stderr) == "e\n")
            #expect(try await plain.wait() == 4)
            let terminal = try await node.runtime.execute(
                ExecConfiguration(
                    container: id, arguments: ["sh", "-c", "read x; stty size; tty"], stdin: true, terminal: true))
            try await terminal.resize(columns: 100, rows: 30)
            try terminal.stdin?.write(Array("\n".utf8))
            terminal.stdin?.close()
            #expect(try await text(terminal.stdout).hasSuffix("30 100\r\n/dev/pts/0\r\n"))
            #expect(try await terminal.wait() == 0)
        }
    }

    /// Images whose user is not root write their logs to /dev/stdout and /dev/stderr.
    @Test(arguments: [false, true]) func itsUserOpensTheStreamsAgain(terminal: Bool) async throws {
        try await withRuntime { node in
            try await node.start("one")
            let script = "echo out >/dev/stdout && echo err >/dev/stderr"
            let id = try await node.run("one", ["sh", "-c", "\(script); sleep 1000"]) { container in
                container.user = 1234
                container.group = 1234
                container.terminal = terminal
            }
            try await eventually("both streams are written to") {
                let log = try node.log(id)
                return log.contains(" out") && log.contains(" err")
            }
            let session = try await node.runtime.execute(
                ExecConfiguration(container: id, arguments: ["sh", "-c", script], terminal: terminal))
            #expect(try await session.wait() == 0)
            for stream in [session.stdout, session.stderr].compactMap(\.self) { stream.close() }
        }
    }

    /// As upstream, where nobody listens at 127.0.0.1.
    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0, "needs python3"))
    func connectsToTheOtherLoopback() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let script = """
                import socket
                listener = socket.socket(socket.AF_INET6)
                listener.bind(("::1", 0))
                listener.listen()
                print("port", listener.getsockname()[1], flush=True)
                listener.accept()[0].sendall(b"six")
                """
            let id = try await node.run("one", ["python3", "-c", script])
            var port: Int?
            try await eventually("the program listens") {
                let words = try node.log(id).split(whereSeparator: \.isWhitespace)
                port = words.firstIndex(of: "port").flatMap { words.count > $0 + 1 ? Int(words[$0 + 1]) : nil }
                return port != nil
            }
            let connection = try await node.runtime.connect(podUID: "one", port: try #require(port))
            try connection.setNonBlocking(false)
            #expect(try await text(connection) == "six")
            let refused = try await #require(throws: SystemError.self) {
                _ = try await node.runtime.connect(podUID: "one", port: 1)
            }
            #expect(refused.errno == ECONNREFUSED)
        }
    }

    @Test func anExecutedProgramIsKilledWithWhatItStarted() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["sleep", "1000"])
            let session = try await node.runtime.execute(
                ExecConfiguration(container: id, arguments: ["sh", "-c", "sleep 1000 & echo started; wait"]))
            var byte = [UInt8](repeating: 0, count: 1)
            let output = try #require(session.stdout)
            try await Poller.shared.readable(output)
            #expect(try output.withRawValue { read($0, &byte, 1) } == 1)
            await session.kill()
            #expect(try await session.wait() == 137)
            // Only once the other program has ended, too, nobody holds the pipe.
            #expect(try await text(session.stdout) == "tarted\n")
            session.stderr?.close()
            #expect(try await node.runtime.sandboxes().first?.containers.first?.phase == .running)
        }
    }

    @Test func amountsBeyondTheKernelsAreTaken() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["true"]) {
                $0.limits = ResourceLimits(cpuMillis: .max, cpuRequestMillis: .max, memory: .max)
            }
            #expect(try await node.end(of: id).phase.code == 0)
        }
    }

    @Test func aTargetThatRunsNoMoreIsNamed() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let target = try await node.run("one", ["true"], name: "app")
            _ = try await node.end(of: target)
            let error = await #expect(throws: RuntimeError.self) {
                try await node.run("one", ["sleep", "1000"], name: "debug") { $0.target = target }
            }
            #expect(error?.description == "invalid target container: container \"app\" is not running")
        }
    }

    @Test func containersShareMemoryWithinTheirPod() async throws {
        try await withRuntime { node in
            try await node.start("one")
            try await node.start("two")
            let writer = try await node.run("one", ["sh", "-c", "echo shared >/dev/shm/x; exit 0"], name: "writer")
            #expect(try await node.end(of: writer).phase.code == 0)
            let script = "cat /dev/shm/x; stat -c %a /dev/shm; grep -c ' /dev/shm ' /proc/mounts"
            let reader = try await node.run("one", ["sh", "-c", script], name: "reader")
            #expect(try await node.end(of: reader).phase.code == 0)
            let lines = try node.log(reader).split(separator: "\n").map { $0.split(separator: " ", maxSplits: 3)[3] }
            #expect(lines == ["shared", "1777", "1"])
            let other = try await node.run("two", ["cat", "/dev/shm/x"], name: "other")
            #expect(try await node.end(of: other).phase.code != 0)
            try await node.runtime.removeSandbox(podUID: "one")
            #expect(try !readFile("/proc/self/mountinfo").contains("\(node.paths.directory)/pods/one"))
        }
    }

    @Test func withHostIPCTheMachinesMemoryIsShared() async throws {
        try await withRuntime { node in
            try await node.start("one", hostIPC: true)
            let name = "martlet-test-\(getpid())"
            try replaceFile("/dev/shm/\(name)", Array("machine".utf8))
            defer { unlink("/dev/shm/\(name)") }
            let id = try await node.run("one", ["cat", "/dev/shm/\(name)"])
            #expect(try await node.end(of: id).phase.code == 0)
            #expect(try node.log(id).contains("machine"))
        }
    }

    @Test func aContainerMaySeeAnothersProcesses() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let target = try await node.run("one", ["sleep", "1000"])
            let id = try await node.run(
                "one", ["sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' '; echo $$"], name: "debug"
            ) {
                $0.target = target
            }
            #expect(try await node.end(of: id).phase.code == 0)
            #expect(try node.log(id).contains(" F sleep 1000 "))
            #expect(try await node.runtime.sandboxes().first?.containers.first { $0.id == target }?.phase == .running)
        }
    }

    @Test func attachesToStandardInput() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["sh", "-c", "while read x; do echo got $x; done; exit 7"]) {
                container in
                container.stdin = true
                container.stdinOnce = true
            }
            let session = try await node.runtime.attach(id)
            try session.stdin?.write(Array("one\ntwo\n".utf8))
            session.stdin?.close()
            #expect(try await text(session.stdout) == "got one\ngot two\n")
            session.stderr?.close()
            #expect(try await session.wait() == 7)
        }
    }

    @Test(.enabled(if: CgroupV1()?.roots["memory"] != nil, "needs the memory controller"))
    func tooMuchMemoryIsTold() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["sh", "-c", "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo $x"]) {
                $0.limits.memory = 20 << 20
            }
            guard case .exited(_, _, let outOfMemory, _) = try await node.end(of: id).phase else { return }
            #expect(outOfMemory)
        }
    }

    @Test func aNewAgentFindsWhatAnOldOneLeft() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let running = try await node.run("one", ["sleep", "1000"])
            let ended = try await node.run("one", ["sh", "-c", "exit 5"], name: "ended")
            _ = try await node.end(of: ended)
            let later = node.again()
            #expect(try await later.runtime.sandboxes().first?.past.map(\.id) == [ended])
            let sandbox = try #require(try await later.runtime.sandboxes().first)
            #expect(sandbox.pid > 0)
            #expect(sandbox.containers.first { $0.id == running }?.phase == .running)
            #expect(try await later.end(of: ended).phase.code == 5)
            let session = try await later.runtime.execute(
                ExecConfiguration(container: running, arguments: ["sh", "-c", "echo $MARK"]))
            #expect(try await text(session.stdout) == "mark\n")
            session.stderr?.close()
            #expect(try await session.wait() == 0)
            try await later.runtime.removeSandbox(podUID: "one")
            #expect(ProcessIdentity(pid: sandbox.pid) == nil)
        }
    }

    @Test func aPodWhoseInitHangsIsRemoved() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["sleep", "1000"])
            let attached = try await node.runtime.attach(id)
            let pid = try #require(try await node.runtime.sandboxes().first?.pid)
            kill(pid, SIGSTOP)
            try await node.runtime.removeSandbox(podUID: "one")
            #expect(ProcessIdentity(pid: pid) == nil)
            // Who waits for a container of the pod is told its end.
            #expect(try await attached.wait() == 137)
        }
    }

    @Test func whoAsksWhileSandboxesAreLookedForSeesThemAll() async throws {
        try await withRuntime { node in
            for uid in ["one", "other", "third"] { try await node.start(uid) }
            let again = node.again()
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 { group.addTask { try await again.runtime.sandboxes().count } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts == [3, 3, 3, 3])
        }
    }

    @Test func containersEndWithTheirInit() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let id = try await node.run("one", ["sleep", "1000"])
            let pid = try #require(try await node.runtime.sandboxes().first?.pid)
            kill(pid, SIGKILL)
            #expect(try await node.end(of: id).phase.code == 137)
            try await node.start("one")
            #expect(try await node.runtime.sandboxes().first?.pid != pid)
        }
    }

    @Test func processesOfASharedNamespaceEndWithTheirContainer() async throws {
        try await withRuntime { node in
            try await node.start("one", shared: true)
            let id = try await node.run("one", ["sh", "-c", "sleep 1000 & exit 0"])
            #expect(try await node.end(of: id).phase.code == 0)
            let left = ResourceGroup.node(node.paths).pod("one", qosClass: "BestEffort").container(id)
            // Killed before the end is told; the kernel takes a moment to carry it out.
            let resources = node.resources
            try await eventually("none of its processes is left") { resources.processes(left).isEmpty }
        }
    }
}

private func text(_ descriptor: SharedDescriptor?) async throws -> String {
    let descriptor = try #require(descriptor)
    defer { descriptor.close() }
    return await Blocking.run {
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        // A terminal's end is an error (EIO), a pipe's is zero bytes.
        while let count = try? descriptor.withRawValue({ read($0, &buffer, 4096) }), count > 0 {
            result += buffer[..<count]
        }
        return String(decoding: result, as: UTF8.self)
    }
}
