import CInitProtocol
import Glibc
import Linux
import TestSupport
import Testing

/// What a container's process does before it becomes the program.
@Suite(.enabled(if: getuid() == 0, "needs root")) struct OperationTests {
    /// The output of a program that comes after some operations.
    private static func output(
        _ pod: TestInit, root: DetachedMount? = nil, mounts: [SharedDescriptor] = [], _ operations: [[UInt8]],
        _ script: String, name: String = "a"
    ) async throws -> String {
        try await pod.request(.list)
        let answer = try await pod.start(
            name, root: root, mounts: mounts, operations + [execute(["sh", "-c", script])])
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
        // The program's streams are its user's.
        (operation(.ids, [1234, 5678]), "echo on >/dev/stdout && echo on >/dev/stderr", "on\non"),
        (operation(.groups, [2, 77, 88]) + operation(.ids, [1, 1]), "id -G", "1 77 88"),
        (operation(.rlimit, [UInt64(RLIMIT_NOFILE.rawValue), 64, 65]), "ulimit -Sn; ulimit -Hn", "64\n65"),
        (operation(.noNewPrivileges), "grep NoNewPrivs /proc/self/status | tr -d '\\t'", "NoNewPrivs:1"),
        // CAP_CHOWN alone stays in the bounding set.
        (operation(.capabilities, [1]), "grep CapBnd /proc/self/status | tr -d '\\t'", "CapBnd:0000000000000001"),
        (operation(.group, [1, 2]), "echo on", "on"),
        (operation(.keyring), "echo on", "on"),
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
            ([operation(.root, [99])], EBADMSG, .root, "descriptors"),
            ([operation(.bind, [0], ["/mnt"])], EBADMSG, .bind, "descriptors"),
            ([operation(.changeDirectory, [], ["/etc/passwd/x"])], ENOTDIR, .changeDirectory, "/etc/passwd/x"),
            ([operation(.group, [0, 2])], EBADF, .group, "control group"),
            ([operation(.ids, [UInt64(UInt32.max), 0])], EINVAL, .ids, "user"),
            ([operation(.ids, [0, 1 << 31])], EINVAL, .ids, "group"),
            ([operation(.groups, [1, UInt64(UInt32.max)])], EINVAL, .groups, "groups"),
            ([operation(.groups, [1 << 40])], EBADMSG, .groups, "groups"),
            ([operation(.seccomp, [0])], EBADMSG, .seccomp, "seccomp"),
            ([operation(.changeDirectory, [], ["/proc/self/root"])], ELOOP, .changeDirectory, "/proc/self/root"),
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
        let shown = ["/usr", "/lib", "/lib64", "/bin"].filter { (path: String) in access(path, F_OK) == 0 }
        let mounts = try shown.map { try DetachedMount(of: $0, .readOnly).descriptor }
        let list =
            shown.enumerated().map { operation(.bind, [UInt64($0 + 3)], [$1]) } + [
                operation(.filesystem, [0], ["proc", "", "/proc"]),
                operation(.makeDirectory, [0o750], ["/made/below"]), operation(.symlink, [], ["below", "/made/link"]),
                operation(.file, [0o640], ["/link/file", "text\n"]),
                operation(.filesystem, [0], ["tmpfs", "size=64k,mode=700", "/scratch"]),
                operation(.device, [UInt64(S_IFCHR) | 0o666, UInt64(1 << 8 | 3)], ["/dev/null"]),
                operation(.hide, [], ["/proc/cpuinfo"]), operation(.readOnly, [], ["/out"]), operation(.pivot),
                operation(.changeDirectory, [], ["/run-here/below"]),
            ]
        let script = """
            cat /link/file; readlink /made/link; stat -c %a /made/below /scratch; echo x >/dev/null && echo device;
            wc -c </proc/cpuinfo; touch /out/x 2>/dev/null || echo fixed; touch /usr/x 2>/dev/null || echo bound; pwd;
            ls -d /nowhere /etc 2>/dev/null | wc -l; df -k /scratch | tail -1 | tr -s ' ' | cut -d' ' -f2
            """
        let text = try await Self.output(pod, root: DetachedMount(of: root), mounts: mounts, list, script)
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
