import Foundation
import Glibc
import Linux
import TestSupport
import Testing

@Suite struct ArgumentsTests {
    /// 125, as container engines have it for a fault of their own, and one line that says what was wrong.
    @Test(arguments: [
        ([], "modes are hold, enter and pod"), (["sing"], "modes are hold, enter and pod"),
        (["enter"], "enter --pid N"), (["enter", "--pid", "x", "--", "true"], "enter --pid N"),
        (["enter", "--pid", "1"], "enter --pid N"), (["enter", "--pid", "1", "--"], "enter --pid N"),
        (["enter", "--pid", "0", "--", "true"], "enter --pid N"), (["enter", "--all"], "enter: unknown option"),
        (["enter", "--pid", "4194305", "--", "true"], "open the process to join: errno \(ESRCH)"),
        (["hold", "--all"], "hold: unknown option"), (["pod"], "pod --socket-fd N --exits-fd N"),
        (["pod", "--socket-fd", "3"], "pod --socket-fd N --exits-fd N"),
    ]) func refuses(_ arguments: [String], _ message: String) async throws {
        let result = try await runInit(arguments)
        #expect(result.status == Linux.ExitStatus(code: 125, signal: 0))
        #expect(result.errors.hasPrefix("martlet-init: ") && result.errors.contains(message), "\(result)")
        #expect(result.output.isEmpty)
    }
}

@Suite(.enabled(if: getuid() == 0, "needs root")) struct NamespaceModeTests {
    @Test func entersAndBecomesTheCommand() async throws {
        let script = "echo $LISTEN_PID-$$ $PWD $0 $1; exit 7"
        let result = try await runInit(
            ["enter", "--pid", "\(getpid())", "--net", "--", "sh", "-c", script, "zero", "one"],
            environment: ["PATH=/nowhere:/usr/bin:/bin", "LISTEN_PID=0000000000"])
        #expect(result.status == Linux.ExitStatus(code: 7, signal: 0), "\(result)")
        let words = result.output.split { $0.isWhitespace }
        let pids = try #require(words.first).split(separator: "-")
        #expect(pids.count == 2 && pids[0] == pids[1], "sockets are for the command's own process: \(result)")
        #expect(words.dropFirst(2) == ["zero", "one"])
    }

    @Test(arguments: [("nope", ENOENT), ("/etc/passwd", EACCES)])
    func namesACommandThatCannotBeExecuted(_ command: String, _ number: Int32) async throws {
        let result = try await runInit(["enter", "--pid", "\(getpid())", "--net", "--", command])
        #expect(
            result.status.code == 125 && result.errors == "martlet-init: \(command): errno \(number)\n", "\(result)")
    }

    /// Holds namespaces with a setting of its own, lets a process in, and hands them on to a successor.
    @Test func holdsNamespaces() async throws {
        func hold(_ arguments: [String], in other: Int32? = nil) async throws -> Int32 {
            let ready = try makePipe()
            let enter = other.map { ["enter", "--pid", "\($0)", "--net", "--mnt", "--", initProgram] } ?? []
            let pid = try Spawn(
                [initProgram] + enter + ["hold", "--ready-fd", "3"] + arguments, environment: [],
                descriptors: [(own: ready.writer, child: 3)]
            ).start()
            ready.writer.close()
            let text = try await Blocking.run { () throws(SystemError) in try ready.reader.readToEnd() }
            #expect(String(decoding: text, as: UTF8.self) == "READY=1\n")
            return pid
        }
        func end(_ pid: Int32) {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        let first = try await hold(["--mnt", "--net", "--sysctl", "net/ipv4/ip_default_ttl=41"])
        let namespaces = try (namespaceIdentity(.net, of: first), namespaceIdentity(.mnt, of: first))
        #expect(try namespaces.0 != namespaceIdentity(.net, of: getpid()))
        #expect(try namespaces.1 != namespaceIdentity(.mnt, of: getpid()))
        let script =
            "cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/net/ipv4/ip_forward; ls /sys/class/net /proc/self/fd"
        let inside = try await runInit(["enter", "--pid", "\(first)", "--", "sh", "-c", script])
        #expect(inside.output.hasPrefix("41\n1\n"), "\(inside)")
        let second = try await hold(["--present"], in: first)
        end(first)
        #expect(try namespaceIdentity(.net, of: second) == namespaces.0)
        #expect(try namespaceIdentity(.mnt, of: second) == namespaces.1)
        #expect(try readFile("/proc/sys/net/ipv4/ip_default_ttl") != "41\n", "the host's own stays as it is")
        end(second)
    }

    /// Whoever starts it writes down its process first; if that fails nothing may stay of which nobody knows.
    @Test(arguments: [["hold", "--present"], ["enter", "--pid", "\(getpid())", "--net"]], [true, false])
    func waitsToBeWrittenDown(_ arguments: [String], _ isWritten: Bool) async throws {
        let go = try makePipe()
        let isHolder = arguments[0] == "hold"
        let pid = try Spawn(
            [initProgram] + arguments + ["--await-go"] + (isHolder ? [] : ["--", "/bin/sleep", "1000"]),
            environment: [], descriptors: [(own: go.reader, child: 0)]
        ).start()
        defer {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        #expect(ProcessIdentity(pid: pid)?.isRunning == true)
        if isWritten { try go.writer.write([1]) } else { go.writer.close() }
        try await eventually(isWritten ? "it goes on, without the pipe" : "it ends") {
            guard isWritten else { return ProcessIdentity(pid: pid) == nil }
            return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/0") == "/dev/null"
        }
    }

    @Test(arguments: ["novalue", "net/absent=1"]) func refusesASetting(_ assignment: String) async throws {
        let result = try await runInit(["hold", "--net", "--sysctl", assignment])
        #expect(result.status.code == 125 && result.errors.contains("martlet-init: "), "\(result)")
    }

    @Test func endsWhereThePodCannotBeSetUp() async throws {
        let result = try await runInit(
            ["pod", "--socket-fd", "99", "--exits-fd", "2", "--host-network", "--host-ipc"])
        #expect(result.status.code == 125 && result.output.isEmpty, "\(result)")
        #expect(result.errors.contains("--socket-fd: errno \(EBADF)"))
    }
}
