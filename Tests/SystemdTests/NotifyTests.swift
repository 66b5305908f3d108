import Glibc
import Testing

@testable import Systemd

@Suite(.timeLimit(.minutes(1))) struct NotifyTests {
    @Test func messagesReachTheServerWithTheirSender() async throws {
        let path = "/tmp/martlet-notify-\(getpid()).sock"
        let server = try NotifyServer(path: path)
        defer { server.close() }
        let notify = Notify(socket: path)
        notify.status("loading")
        notify.send("READY=1\nSTATUS=a=b")
        var received: [NotifyServer.Message] = []
        for await message in server.messages {
            received.append(message)
            if received.count == 2 { break }
        }
        #expect(
            received == [
                .init(pid: getpid(), assignments: ["STATUS": "loading"]),
                .init(pid: getpid(), assignments: ["READY": "1", "STATUS": "a=b"]),
            ])
    }

    @Test func aPathThatIsTooLongIsAnError() {
        #expect(throws: NotifyServer.OpenError.self) {
            try NotifyServer(path: "/tmp/" + String(repeating: "x", count: 120))
        }
    }

    @Test(arguments: [
        (["LISTEN_PID": "1", "LISTEN_FDS": "2"], []), (["LISTEN_PID": "7"], []),
        (["LISTEN_PID": "7", "LISTEN_FDS": "2"], ["unknown 3", "unknown 4"]),
        (["LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "api:dns"], ["api 3", "dns 4"]),
    ])
    func socketsAreTakenByTheProcessThatTheyAreMeantFor(environment: [String: String], offered: [String]) {
        #expect(ListenSockets.offered(to: 7) { environment[$0] }.map { "\($0.name) \($0.descriptor)" } == offered)
    }
}
