import CInitProtocol
import Glibc
import Linux
import TestSupport
import Testing

/// What a container's process does before it becomes the program.
@Suite(.enabled(if: getuid() == 0, "needs root")) struct OperationTests {
    /// The output of a program that comes after some operations.
    private static func output(
        _ pod: TestInit, _ operations: [[UInt8]], _ script: String, name: String = "a"
    ) async throws -> String {
        try await pod.request(.list)
        let answer = try await pod.start(name, operations + [execute(["sh", "-c", script])])
        try #require(
            answer.status == 0, "operation \(answer.body.prefix(4)): \(answer.text(from: 4)), \(answer.status)")
        _ = try await pod.end(of: name)
        return pod.log(name).split(separator: "\n").map { $0.split(separator: " ", maxSplits: 3).last ?? "" }
            .joined(separator: "\n")
    }

    @Test(arguments: [
        (operation(.umask, [0o27]), "umask", "0027"),
        (operation(.changeDirectory, [], ["/usr/bin"]), "pwd", "/usr/bin"),
        (operation(.ids, [1234, 5678]), "id -u; id -g", "1234\n5678"),
        (operation(.groups, [2, 77, 88]) + operation(.ids, [1, 1]), "id -G", "1 77 88"),
        (operation(.rlimit, [UInt64(RLIMIT_NOFILE.rawValue), 64, 65]), "ulimit -Sn; ulimit -Hn", "64\n65"),
        (operation(.noNewPrivileges), "grep NoNewPrivs /proc/self/status | tr -d '\\t'", "NoNewPrivs:1"),
        // CAP_CHOWN alone stays in the bounding set.
        (operation(.capabilities, [1]), "grep CapBnd /proc/self/status | tr -d '\\t'", "CapBnd:0000000000000001"),
        (operation(.write, [1], ["/proc/absent", "x"]), "echo on", "on"),
    ]) func prepares(_ list: [UInt8], _ script: String, _ wanted: String) async throws {
        #expect(try await Self.output(TestInit(), [list], script) == wanted)
    }

    @Test func theProgramHasItsEnvironmentAlone() async throws {
        let pod = try await TestInit()
        try await pod.request(.list)
        let list = execute(["env"], environment: ["PATH=/nowhere:/usr/bin", "MARK=a b"])
        #expect(try await pod.start("a", [list]).status == 0)
        _ = try await pod.end(of: "a")
        #expect(pod.log("a").contains("stdout F PATH=/nowhere:/usr/bin\n"))
        #expect(pod.log("a").contains("stdout F MARK=a b\n"))
        #expect(pod.log("a").split(separator: "\n").count == 2)
    }

    /// The operation that failed, the errno and the text that it was about.
    @Test(
        arguments: [
            ([execute(["nope"])], ENOENT, InitOperation.execute, "nope"),
            ([execute(["/etc/passwd"])], EACCES, .execute, "/etc/passwd"),
            ([execute([])], EINVAL, .execute, "no command"),
            ([operation(.root, [], ["/nowhere"])], ENOENT, .root, "/nowhere"),
            ([operation(.changeDirectory, [], ["/etc/passwd/x"])], ENOTDIR, .changeDirectory, "/etc/passwd/x"),
            ([operation(.write, [0], ["/proc/absent", "x"])], ENOENT, .write, "/proc/absent"),
            ([operation(.umask, [0])], EBADMSG, .umask, "operations end without a program"),
            ([numbers(UInt32(18), UInt32(4000))], EBADMSG, .execute, "operations"),
            ([operation(.ids, [1])], EBADMSG, .ids, "operations"),
        ] as [([[UInt8]], Int32, InitOperation, String)])
    func reportsWhatFailed(_ list: [[UInt8]], _ status: Int32, _ failed: InitOperation, _ text: String) async throws {
        let pod = try await TestInit()
        let answer = try await pod.start("a", list)
        #expect(answer.status == status)
        #expect(answer.number(0) == failed.rawValue && answer.text(from: 4) == text, "\(answer.text(from: 4))")
        #expect(pod.exits.isEmpty)
        // Nothing of it is left: the key is free.
        #expect(try await pod.start("a", [execute(["true"])]).status == 0)
    }

    @Test func anUnknownOperationIsRefused() async throws {
        let answer = try await TestInit().start("a", [numbers(UInt32(99), UInt32(0))])
        #expect(answer.status == EBADMSG && answer.number(0) == 99 && answer.text(from: 4) == "unknown operation")
    }

    /// A root of its own: what is made and mounted is in it, also where its links lead out of it.
    @Test func aRootOfItsOwn() async throws {
        let pod = try await TestInit()
        let root = pod.directory.path + "/root"
        for name in ["", "/usr", "/lib", "/lib64", "/bin", "/proc", "/out"] { try makeDirectory(root + name) }
        try makeDirectory(pod.directory.path + "/outside")
        // A link to a directory of the host leads to the one of that name in the root.
        try makeDirectory(root + pod.directory.path + "/outside")
        #expect(symlink(pod.directory.path + "/outside", root + "/link") == 0)
        let binds = ["/usr", "/lib", "/lib64", "/bin"].map {
            operation(.bind, [InitBindFlags.readOnly.rawValue | InitBindFlags.optional.rawValue], [$0, $0])
        }
        let bind = UInt64(MS_BIND), private_ = UInt64(MS_PRIVATE | MS_REC)
        var list = [
            operation(.mount, [private_], ["none", "/", "", ""]), operation(.mount, [bind], [root, root, "", ""]),
        ]
        list.append(operation(.root, [], [root]))
        list += binds
        list += [
            operation(.filesystem, [0], ["proc", "", "/proc"]),
            operation(.makeDirectory, [0o750], ["/made/below"]), operation(.symlink, [], ["below", "/made/link"]),
            operation(.file, [0o640], ["/link/file", "text\n"]),
            operation(.bind, [InitBindFlags.optional.rawValue], ["/nowhere", "/nowhere"]),
            operation(.filesystem, [0], ["tmpfs", "size=64k,mode=700", "/scratch"]),
            operation(.device, [UInt64(S_IFCHR) | 0o666, UInt64(1 << 8 | 3)], ["/dev/null", "/dev/null"]),
            operation(.pivot), operation(.hide, [], ["/proc/cpuinfo"]), operation(.readOnly, [], ["/out"]),
            operation(.changeDirectory, [], ["/run-here/below"]),
        ]
        let script = """
            cat /link/file; readlink /made/link; stat -c %a /made/below /scratch; echo x >/dev/null && echo device;
            wc -c </proc/cpuinfo; touch /out/x 2>/dev/null || echo fixed; touch /usr/x 2>/dev/null || echo bound; pwd;
            ls -d /nowhere /etc 2>/dev/null | wc -l; df -k /scratch | tail -1 | tr -s ' ' | cut -d' ' -f2
            """
        let text = try await Self.output(pod, list, script)
        #expect(text == "text\nbelow\n750\n700\ndevice\n0\nfixed\nbound\n/run-here/below\n0\n64")
        #expect(try listDirectory(pod.directory.path + "/outside").isEmpty, "a link does not lead out")
        #expect(access("/made", F_OK) != 0 && access("/run-here", F_OK) != 0)
    }

    @Test func aTerminalHasItsSize() async throws {
        let pod = try await TestInit()
        try await pod.request(.list)
        let list = [
            operation(.terminal, [100 << 16 | 30]), execute(["sh", "-c", "stty size; test -t 0 && echo terminal"]),
        ]
        #expect(try await pod.start("a", flags: [.terminal], list).status == 0)
        _ = try await pod.end(of: "a")
        #expect(pod.log("a").contains("30 100\r\n") && pod.log("a").contains("terminal\r\n"), "\(pod.log("a"))")
    }
}
