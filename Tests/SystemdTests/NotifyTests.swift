import Glibc
import Testing

@testable import Systemd

// The environment is the process's, so these run one after another.
@Suite(.serialized)
struct NotifyTests {
    @Test func messagesReachTheServerWithTheirSender() async throws {
        let path = "/tmp/martlet-notify-\(getpid()).sock"
        let server = try NotifyServer(path: path)
        defer { server.close() }
        setenv("NOTIFY_SOCKET", path, 1)
        defer { unsetenv("NOTIFY_SOCKET") }
        Notify.status("loading")
        Notify.send("READY=1\nSTATUS=a=b")
        var received: [NotifyServer.Message] = []
        for await message in server.messages {
            received.append(message)
            if received.count == 2 { break }
        }
        #expect(received[0] == .init(pid: getpid(), assignments: ["STATUS": "loading"]))
        #expect(received[1] == .init(pid: getpid(), assignments: ["READY": "1", "STATUS": "a=b"]))
    }

    @Test func aPathThatIsTooLongIsAnError() {
        #expect(throws: NotifyServer.OpenError.self) {
            try NotifyServer(path: "/tmp/" + String(repeating: "x", count: 120))
        }
    }

    @Test func socketsMeantForAnotherProcessAreNotTaken() {
        setenv("LISTEN_PID", "1", 1)
        setenv("LISTEN_FDS", "2", 1)
        #expect(ListenSockets.take().isEmpty)
        for name in ["LISTEN_PID", "LISTEN_FDS"] { unsetenv(name) }
    }
}
