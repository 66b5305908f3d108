import CInitProtocol
import Glibc
@testable import Linux
import Testing

@testable import PodRuntime

/// The bytes that the C reads and writes, for both sides take them from one header.
@Suite struct InitProtocolTests {
    @Test func aRequestIsAHeaderAndItsBody() {
        let bytes = InitMessage.request(.exec, flags: [.terminal, .ownProcesses], tag: 0x0102_0304, body: [7, 0])
        #expect(bytes == [3, 9, 0, 0, 4, 3, 2, 1, 7, 0])
        #expect(MemoryLayout<InitHeader>.size == 8)
    }

    @Test func anAnswerIsRead() throws {
        let type = InitRequest.start.rawValue | UInt8(answer_bit)
        let bytes: [UInt8] = [type, 0, 2, 0, 1, 0, 0, 0, 18, 0, 0, 0, 0x78, 0]
        let answer = try #require(InitMessage(PacketSocket.Message(bytes: bytes, descriptors: [], process: 9)))
        #expect((answer.type, answer.status, answer.tag, answer.process) == (0x82, 2, 1, 9))
        var body = BodyReader(answer.body)
        #expect(body.number(UInt32.self) == InitOperation.execute.rawValue)
        #expect(body.string() == "x")
        #expect(InitMessage(PacketSocket.Message(bytes: [1, 2, 3], descriptors: [], process: 0)) == nil)
    }

    @Test func eventsAreNoAnswers() {
        for event in [InitEvent.state, .execExit] { #expect(event.rawValue & UInt8(answer_bit) == 0) }
    }

    @Test func aStartOfTheLargestKeyFitsAPacket() {
        // Two places, key, name of the log, key of the target.
        let body = 8 + max_key_size + 64 + max_key_size
        #expect(MemoryLayout<InitHeader>.size + body <= max_packet_size)
    }

    private typealias Row = (make: @Sendable (inout StartOperations) -> Void, operation: UInt32, body: [UInt8])

    private static func number(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    private static func text(_ value: String) -> [UInt8] { Array(value.utf8) + [0] }

    private static let file = SharedDescriptor(owning: dup(0))
    private static let mount = DetachedMount(descriptor: file)

    private static let rows: [Row] = [
        ({ $0.group(file, optional: true) }, 1, number(1) + number(1)),
        ({ $0.root(mount) }, 2, number(1)),
        ({ $0.makeDirectory("/d", mode: 0o700) }, 3, number(0o700) + text("/d")),
        ({ $0.symlink("/l", to: "t") }, 4, text("t") + text("/l")),
        (
            { $0.device("/dev/null", mode: 0o666, major: 1, minor: 3) }, 5,
            number(0o020666) + number(0x103) + text("/dev/null")
        ),
        ({ $0.bind(mount, to: "/c") }, 6, number(1) + text("/c")),
        (
            { $0.filesystem("tmpfs", on: "/t", attributes: [.noDevices], options: "o") }, 7,
            number(4) + text("tmpfs") + text("o") + text("/t")
        ),
        ({ $0.pivot() }, 8, []), ({ $0.hide("/x") }, 9, text("/x")), ({ $0.readOnly("/x") }, 10, text("/x")),
        ({ $0.groupNamespace() }, 11, []), ({ $0.keyring() }, 23, []),
        ({ $0.groups([5, 6]) }, 12, number(2) + number(5) + number(6)),
        ({ $0.ids(user: 1, group: 2) }, 13, number(1) + number(2)),
        ({ $0.capabilities(Capabilities(mask: 5)) }, 14, number(5)), ({ $0.noNewPrivileges() }, 15, []),
        ({ $0.changeDirectory("/w") }, 17, text("/w")),
        (
            { $0.execute(["a", "b"], environment: ["N=v"]) }, 18,
            number(2) + number(1) + ["a", "b", "N=v"].flatMap(text)
        ),
        ({ $0.joinContainer() }, 19, []),
        ({ $0.terminal(WindowSize(columns: 80, rows: 24)) }, 20, number(80 << 16 | 24)),
        ({ $0.terminal(nil) }, 20, number(0)),
    ]

    @Test(arguments: rows.indices) func anOperationIsItsNumberItsSizeAndItsArguments(index: Int) {
        let row = Self.rows[index]
        var operations = StartOperations()
        row.make(&operations)
        let head = [row.operation, UInt32(row.body.count)].flatMap { value in
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }
        #expect(operations.bytes == head + row.body)
    }

    @Test func aStringEndsAtItsFirstNUL() {
        var operations = StartOperations()
        operations.hide("/a\0b")
        #expect(operations.bytes.suffix(3) == Array("/a\0".utf8))
    }

    @Test func whatIsHandedOverHasItsPlace() throws {
        var operations = StartOperations()
        for _ in 0..<240 { operations.bind(Self.mount, to: "/c") }
        #expect(operations.bytes.suffix(11) == Self.number(240) + Self.text("/c"))
        #expect(try operations.handOver(with: [Self.file]).count == 242)
        for _ in 0..<9 { operations.bind(Self.mount, to: "/c") }
        let error = #expect(throws: RuntimeError.self) { try operations.handOver(with: [Self.file]) }
        #expect(error?.description.contains("too many mounts") == true)
    }
}
