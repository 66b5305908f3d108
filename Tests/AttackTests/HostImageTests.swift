import Glibc
import Linux
import PodRuntime
import SandboxNode
import TestSupport
import Testing

/// The machine's secrets in a container on its own root filesystem.
@Suite(.enabled(if: getuid() == 0, "needs root"), .timeLimit(.minutes(2))) struct HostImageTests {
    @Test func secretsAreHidden() async throws {
        try await withRuntime(hide: HiddenPaths.standard) { node in
            try await node.start("one")
            let script = """
                wc -c </etc/shadow; wc -c </etc/gshadow; ls -A /root /home /tmp | grep -v : | grep -c .; ls -A /etc/ssh 2>/dev/null | wc -l
                touch /root/x /tmp/x && echo usable; stat -c %a /tmp; umount /etc/shadow 2>/dev/null && echo shown; echo end
                """
            let lines = try await node.output(script)
            #expect(lines.prefix(4) == ["0", "0", "0", "0"], "\(lines)")
            #expect(lines.contains("usable") && lines.contains("1777") && !lines.contains("shown"), "\(lines)")
        }
    }

    @Test func whatIsShownIsTheMachinesAndReadOnly() async throws {
        let place = "/tmp/martlet-shown-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try makeDirectory("\(place)/tool")
        defer { try? removeTree(place) }
        try replaceFile("\(place)/tool/mark", Array("here\n".utf8))
        try replaceFile("\(place)/secret", Array("secret\n".utf8))
        try await withRuntime(hide: ["/tmp"], show: ["\(place)/tool"]) { node in
            try await node.start("one")
            let script = """
                cat \(place)/tool/mark; ls \(place); touch \(place)/tool/x 2>/dev/null && echo written; ls /tmp | wc -l
                ls \(node.directory) 2>/dev/null | wc -l
                """
            #expect(try await node.output(script) == ["here", "tool", "1", "0"])
        }
    }

    @Test(
        arguments: [
            (["/a", "/a/b", "/c"], [], ["/a", "/c"]), (["/a", "/c/"], ["/a"], ["/c"]),
            (["/a/b", "/c"], ["/a"], ["/c"]),
            (["/a"], ["/a/b"], ["/a"]), (["/ab"], ["/a"], ["/ab"]),
        ] as [([String], [String], [String])])
    func theListIsShortened(hide: [String], show: [String], paths: [String]) {
        let hidden = HiddenPaths(hide: hide, show: show)
        #expect(hidden.entries.map(\.path) == paths)
        #expect(hidden.entries.flatMap(\.shown) == (show == ["/a/b"] ? show : []))
    }

    /// Clusters' own state is shown to nobody.
    @Test func whatIsAlwaysHiddenStaysSo() {
        for show in ["/state", "/state/x", "/"] {
            let hidden = HiddenPaths(always: ["/state"], hide: [], show: [show])
            #expect(hidden.entries.map(\.path) == ["/state"] && hidden.entries[0].shown.isEmpty)
        }
    }
}
