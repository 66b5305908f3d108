import Foundation
import KubernetesModel
import Testing

@testable import NodeStreams

@Suite struct StreamFrameTests {
    static let frames = [
        StreamFrame(.request, StreamRequest.statistics.json), StreamFrame(.stdin), StreamFrame(.stdout, [1, 2, 3]),
        StreamFrame(.resize, ["width": 80, "height": 24]), StreamFrame(.stderr, [UInt8](repeating: 7, count: 70_000)),
    ]

    @Test(arguments: [1, 4, 5, 6, 1000, 1_000_000]) func framesComeWholeHoweverTheyAreCut(_ size: Int) throws {
        let bytes = Self.frames.flatMap(\.encoded)
        var parser = StreamFrameParser()
        var found: [StreamFrame] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            parser.feed(bytes[start..<min(start + size, bytes.count)])
            while let frame = try parser.next() { found.append(frame) }
        }
        #expect(found == Self.frames)
        #expect(!parser.isWithinFrame)
    }

    @Test(
        arguments: [
            ("an unknown channel", [99, 0, 0, 0, 0]), ("a frame that is too large", [3, 255, 255, 255, 255]),
        ] as [(String, [UInt8])])
    func faultyBytesAreRefused(_ what: String, _ bytes: [UInt8]) {
        var parser = StreamFrameParser()
        parser.feed(bytes)
        #expect(throws: StreamFault.self) { try parser.next() }
    }

    static var requests: [StreamRequest] {
        var logs = LogRequest(namespace: "default", pod: "a", podUID: "u", container: "c")
        logs.follow = true
        logs.tailLines = 0
        logs.sinceTime = Timestamp("2026-01-02T03:04:05.678Z")
        var exec = ExecRequest(
            namespace: "default", pod: "a", podUID: "u", container: "c", command: ["sh", "-c", "echo 'ü'"],
            stdin: true, stdout: true, stderr: false, tty: true)
        exec.terminalSize = TerminalSize(columns: 80, rows: 24)
        return [.logs(logs), .exec(exec), .attach(exec), .portForward(podUID: "u", port: 80), .statistics, .containers]
    }

    @Test(arguments: requests) func requestsSurviveJSON(_ request: StreamRequest) throws {
        let json = try JSON(decoding: request.json.encoded())
        let again = try StreamRequest(json)
        #expect(again == request)
    }

    @Test(arguments: ["{}", "{\"dance\":{}}", "{\"portForward\":{\"port\":0}}"])
    func otherJSONIsRefused(_ text: String) throws {
        let json = try JSON(decoding: text)
        #expect(throws: Status.self) { try StreamRequest(json) }
    }
}

@Suite struct StreamSessionTests {
    @Test func aSessionCarriesFramesBothWays() async throws {
        let socket = NSTemporaryDirectory() + "streams-\(UUID().uuidString.prefix(8)).sock"
        let server = try await StreamServer.bind(socket: socket)
        let serving = Task {
            try await server.run { request, incoming in
                guard case .exec(let exec) = request else { throw Status.badRequest("only exec here") }
                let session = try await incoming.accept()
                while let frame = try await session.next(), frame.channel != .end {
                    try await session.send(.stdout, frame.payload)
                }
                try await session.send(StreamFrame(.result, ["command": JSON(exec.command)]))
            }
        }
        await #expect(throws: Status.badRequest("only exec here")) {
            _ = try await StreamSession.open(socket: socket, .statistics)
        }
        let exec = ExecRequest(
            namespace: "n", pod: "p", podUID: "u", container: "c", command: ["cat"], stdin: true, stdout: true,
            stderr: true, tty: false)
        let session = try await StreamSession.open(socket: socket, .exec(exec))
        let input = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let sending = Task {
            try await session.send(.stdin, input)
            try await session.send(StreamFrame(.end))
        }
        var output: [UInt8] = []
        var result: JSON?
        while let frame = try await session.next() {
            if frame.channel == .stdout { output += frame.payload } else { result = try frame.json() }
        }
        try await sending.value
        #expect(output == input)
        #expect(result == ["command": ["cat"]])
        serving.cancel()
        try? await serving.value
        #expect(!FileManager.default.fileExists(atPath: socket))
        await #expect(throws: Status.self) { _ = try await StreamSession.open(socket: socket, .statistics) }
    }
}
