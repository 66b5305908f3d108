import KubernetesModel
import NIOCore
import NodeStreams
import Testing

@testable import APIServer

@Suite struct SPDYTests {
    static let frames: [SPDYFrame] = [
        .synStream(id: 1, block: [1, 2, 3], fin: false), .synReply(id: 1, block: []), .reset(id: 3, status: 5),
        .ping(id: 7), .goAway(last: 9), .data(id: 1, bytes: [], fin: true),
        .data(id: 5, bytes: [UInt8](repeating: 9, count: 100_000), fin: false), .headers(id: 1, block: [4]),
    ]

    @Test(arguments: [1, 7, 8, 1000, 1_000_000]) func framesComeWholeHoweverTheyAreCut(_ size: Int) throws {
        let bytes = Self.frames.flatMap(\.encoded)
        var parser = SPDYFrame.Parser()
        var found: [SPDYFrame] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            found += try parser.feed(bytes[start..<min(start + size, bytes.count)])
        }
        #expect(found == Self.frames)
    }

    @Test func headersOfADirectionAreOneCompressedStream() throws {
        let (sender, receiver) = (SPDYHeaderCodec(), SPDYHeaderCodec())
        for headers in [
            ["streamtype": "error"], ["streamtype": "stdout", "port": "80"], [:],
            ["long": String(repeating: "abc", count: 5000)],
        ] {
            let again = try receiver.decode(sender.encode(headers))
            #expect(again == headers)
        }
        #expect(throws: SPDYError.self) { try receiver.decode([1, 2, 3, 4, 5, 6, 7, 8]) }
    }

    @Test func theDictionaryIsTheSpecifications() {
        var (a, b) = (1, 0)
        for byte in SPDYHeaderCodec.dictionary {
            a = (a + Int(byte)) % 65521
            b = (b + a) % 65521
        }
        #expect(b << 16 | a == 0xe3c6_a7c2)
    }

    @Test(arguments: [
        ("{\"Width\":80,\"Height\":24}", CommandInput.resize(TerminalSize(columns: 80, rows: 24))), ("{}", nil),
        ("x", nil),
    ])
    func terminalSizes(_ text: String, _ expected: CommandInput?) {
        #expect(CommandInput(resize: text.utf8) == expected)
    }
}

@Suite struct PodStreamTests {
    private let streams = PodStreams(runDirectory: "/run/x")

    private func pod(_ containers: [String], initial: [String] = []) -> Object {
        var pod = Object(.pods, namespace: "default", name: "web")
        pod.spec["containers"] = .array(containers.map { ["name": .string($0)] })
        pod.spec["initContainers"] = .array(initial.map { ["name": .string($0)] })
        return pod
    }

    @Test func theOnlyContainerNeedNotBeNamed() throws {
        #expect(try streams.container(nil, in: pod(["a"], initial: ["i"])) == "a")
        #expect(try streams.container("i", in: pod(["a"], initial: ["i"])) == "i")
    }

    @Test(
        arguments: [
            (
                nil,
                "a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [i]"
            ),
            ("x", "container x is not valid for pod web"),
        ] as [(String?, String)])
    func aWrongContainerIsExplained(_ name: String?, _ message: String) {
        #expect(throws: Status.badRequest(message)) {
            try streams.container(name, in: pod(["a", "b"], initial: ["i"]))
        }
    }

    @Test func aPodWithoutANodeHasNoStreams() {
        #expect(throws: Status.badRequest("pod web does not have a host assigned")) {
            try streams.socket(of: pod(["a"]))
        }
    }
}
