import Foundation
import TestSupport
import Testing

/// logs, exec, attach, port-forward and cp, by WebSocket and by SPDY.
struct StreamTests {
    static let clients = [.onPath, .overSPDY] + (KubectlClient.old.map { [$0] } ?? [])

    /// `main` says two lines, a third one once it is asked to, and ends once it is asked to; `echo` has a terminal and
    /// gives back what it is sent; `dies` has a life before.
    private static let manifest = """
        apiVersion: v1
        kind: Pod
        metadata: {name: talks}
        spec:
          terminationGracePeriodSeconds: 0
          containers:
          - name: main
            image: host
            command:
            - /bin/sh
            - -c
            - |
              await() { while ! [ -e $1 ]; do sleep 0.05; done; }
              echo one; echo two >&2; await /tmp/go; echo three; await /tmp/end
          - {name: echo, image: host, stdin: true, tty: true, command: [/bin/sh, -c, "while :; do cat; done"]}
          - {name: web, image: host, command: [/usr/bin/python3, -m, http.server, "8080", -d, /etc/nginx]}
          - {name: dies, image: host, command: [/bin/sh, -c, "echo a life; exit 1"]}
        """

    @Test(.timeLimit(.minutes(4)))
    func everyStream() async throws {
        try await Cluster.running { cluster in
            for client in Self.clients {
                let cluster = cluster.through(client)
                try await cluster.apply(Self.manifest)
                try await eventually("all containers have been started") {
                    let started = try await cluster.kubectl(
                        "get", "pod", "talks", "-o",
                        "jsonpath={.status.containerStatuses[*].started} "
                            + "{.status.containerStatuses[?(@.name=='dies')].lastState.terminated.exitCode}")
                    return started.matches(of: /true/).count >= 3 && started.hasSuffix(" 1")
                }
                let test = StreamTest(cluster: cluster, client: client.testDescription)
                try await test.logs()
                try await test.exec()
                try await test.execWithTerminal()
                try await test.attach()
                try await test.forwardsPorts()
                try await test.copies()
                try await cluster.kubectl("delete", "pod", "talks")
            }
        }
    }

    /// New clients fall back to SPDY where WebSocket fails, and say so to who listens.
    @Test(
        .enabled("needs a kubectl that streams over WebSocket (1.31)") {
            try await KubectlClient.onPath.minorVersion() >= 31
        }, .timeLimit(.minutes(1)))
    func newClientsNeedNoFallback() async throws {
        try await Cluster.running { cluster in
            try await cluster.apply(Self.manifest)
            try await cluster.kubectl(
                "wait", "--for=jsonpath={.status.phase}=Running", "pod/talks", "--timeout=20s")
            let result = try await cluster.attemptKubectl("exec", "-v=4", "talks", "-c", "main", "--", "true")
            #expect(result.status == 0 && result.errors.contains("The subprotocol is v5.channel.k8s.io"), "\(result)")
            #expect(!result.errors.contains("allback"), "\(result)")
        }
    }
}

private struct StreamTest {
    let cluster: Cluster
    let client: String

    private func logs(_ arguments: String...) async throws -> String {
        try await cluster.shell.run("kubectl", ["logs", "talks"] + arguments)
    }

    func logs() async throws {
        try await eventually("both lines are in the log") {
            try await logs("-c", "main") == "one\ntwo\n"
        }
        async let followed = logs("-c", "main", "-f", "--pod-running-timeout=10s")
        let stamped = try await logs("-c", "main", "--timestamps", "--tail=1")
        let stamp = try #require(
            stamped.wholeMatch(of: /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)) two\n/)?.1, "\(stamped)")
        try await eventually("nothing is as new as that") {
            try await logs("-c", "main", "--since=4s").isEmpty
        }
        let moment = ContinuousClock.now
        try await cluster.kubectl("exec", "talks", "-c", "main", "--", "touch", "/tmp/go")
        try await eventually("the third line is there, and the old ones are too old") {
            // From before the third line, whenever that was, to at least a second after the second one.
            let seconds = (ContinuousClock.now - moment).components.seconds + 3
            return try await logs("-c", "main", "--since=\(seconds)s") == "three\n"
        }
        #expect(try await logs("-c", "main", "--since=1h") == "one\ntwo\nthree\n")
        #expect(try await logs("-c", "main", "--since-time=\(stamp)").hasSuffix("two\nthree\n"))
        #expect(try await logs("-c", "main", "--tail=2") == "two\nthree\n")
        #expect(try await logs("-c", "main", "--tail=0").isEmpty)
        #expect(try await logs("-c", "main", "--limit-bytes=5") == "one\nt")
        #expect(try await logs("-c", "dies", "--previous") == "a life\n")
        let none = try await cluster.attemptKubectl("logs", "talks", "-c", "main", "--previous")
        #expect(
            none.status == 1
                && none.errors.contains(#"previous terminated container "main" in pod "talks" not found"#), "\(none)")
        let all = try await logs("--all-containers", "--prefix", "--tail=1")
        #expect(all.contains("[pod/talks/main] three\n") && all.contains("[pod/talks/dies] a life\n"), "\(all)")
        // Ends the container, and with it what follows its log.
        try await cluster.kubectl("exec", "talks", "-c", "main", "--", "touch", "/tmp/end")
        let lines = try await followed
        #expect(lines == "one\ntwo\nthree\n", "\(client)")
        try await eventually("the container runs again") {
            let running = "jsonpath={.status.containerStatuses[?(@.name=='main')].state.running}"
            return try await !cluster.kubectl("get", "pod", "talks", "-o", running).isEmpty
        }
    }

    func exec() async throws {
        let result = try await cluster.attemptKubectl(
            "exec", "-i", "talks", "-c", "main", "--", "/bin/sh", "-c", "cat; echo problem >&2; exit 7", input: "to it")
        #expect(result.status == 7 && result.output == "to it", "\(client): \(result)")
        #expect(result.errors == "problem\ncommand terminated with exit code 7\n", "\(client): \(result)")
        // More than any buffer on the way holds, both ways.
        let much = String(repeating: "0123456789abcde\n", count: 1 << 17)
        let back = try await cluster.shell.run(
            "kubectl", ["exec", "-i", "talks", "-c", "main", "--", "cat"], input: much)
        #expect(back == much, "\(client): \(back.utf8.count) of \(much.utf8.count) bytes")
        let missing = try await cluster.attemptKubectl("exec", "talks", "-c", "main", "--", "no-such-thing")
        #expect(missing.status != 0 && missing.errors.contains("no-such-thing"), "\(client): \(missing)")
    }

    /// Runs a line with a terminal of 22 rows and 111 columns, and in the meantime `script`, in which `say FORMAT`
    /// types something and `comes COUNT TEXT` waits until a text has been printed so many times.
    private func onTerminal(_ line: String, _ script: String) async throws -> CommandResult {
        let files = cluster.directory + "/terminal"
        return try await cluster.shell.attempt(
            "/bin/sh",
            [
                "-c",
                """
                rm -rf \(files); mkdir \(files); cd \(files); mkfifo input
                timeout 60 script -qec "stty rows 22 cols 111; \(line)" /dev/null <input >printed 2>&1 & terminal=$!
                exec 3>input
                say() { printf "$1" >&3; }
                comes() {
                    until [ "$(grep -o "$2" printed | wc -l)" -ge "$1" ]; do
                        kill -0 $terminal || break
                        sleep 0.05
                    done
                }
                \(script)
                wait $terminal; status=$?
                cat printed
                exit $status
                """,
            ])
    }

    func execWithTerminal() async throws {
        let result = try await onTerminal(
            "kubectl exec -it talks -c main -- /bin/sh -c 'tty; sleep 1; stty size; cat; exit 3'",
            #"comes 1 '22 111'; say 'typed\n'; comes 2 typed; say '\004'"#)
        #expect(result.output.contains(/\/dev\/pts\/\d/) && result.output.contains("22 111"), "\(client): \(result)")
        #expect(result.output.matches(of: /typed/).count >= 2, "typed, and what came of it: \(client): \(result)")
        #expect(result.status == 3, "\(client): \(result)")
    }

    func attach() async throws {
        let result = try await onTerminal(
            "kubectl attach -it talks -c echo", #"say 'hello\n'; comes 2 hello; kill $terminal"#)
        #expect(result.output.matches(of: /hello/).count >= 2, "typed, and given back: \(client): \(result)")
        #expect(try await logs("-c", "echo").contains("hello"), "\(client)")
    }

    func forwardsPorts() async throws {
        let printed = cluster.directory + "/forward-\(client.filter(\.isLetter))"
        // Ended with this scope.
        async let _ = cluster.shell.attempt(
            "/bin/sh", ["-c", "exec kubectl port-forward pod/talks :8080 >\(printed) 2>&1"])
        let port = try await eventually("kubectl tells its port") {
            try String(contentsOfFile: printed, encoding: .utf8)
                .firstMatch(of: /Forwarding from 127.0.0.1:(\d+) -> 8080/)?.1
        }
        let page = try await cluster.shell.run("curl", ["-sS", "http://127.0.0.1:\(port)/nginx.conf"])
        #expect(page == (try String(contentsOfFile: "/etc/nginx/nginx.conf", encoding: .utf8)), "\(client)")
        let statuses = try await cluster.shell.sh(
            "for i in 1 2 3 4 5 6 7 8; do curl -sS -o /dev/null -w '%{http_code} ' http://127.0.0.1:\(port)/ & done; wait"
        )
        #expect(statuses.split(separator: " ").map(String.init) == Array(repeating: "200", count: 8), "\(client)")
    }

    func copies() async throws {
        let files = cluster.directory + "/files"
        try await cluster.shell.sh(
            """
            mkdir -p \(files)/there/sub
            head -c 3000000 /dev/urandom >\(files)/there/large
            echo deep >\(files)/there/sub/file
            kubectl cp \(files)/there talks:/tmp/there -c main
            kubectl cp talks:/tmp/there \(files)/back -c main
            diff -r \(files)/there \(files)/back
            kubectl cp talks:/tmp/there/sub/file \(files)/one -c main
            cmp \(files)/there/sub/file \(files)/one
            rm -r \(files)
            """)
    }
}
