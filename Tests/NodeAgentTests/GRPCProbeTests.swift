import Testing

@testable import NodeAgent

@Suite struct GRPCProbeTests {
    @Test(
        arguments: [
            ([0, 0, 0, 0, 2, 8, 1], 1), ([0, 0, 0, 0, 2, 8, 2], 2), ([0, 0, 0, 0, 0], 0), ([0, 0, 0, 0, 2, 8], nil),
            ([], nil),
        ] as [([UInt8], UInt8?)])
    func theStatusIsReadFromAWholeMessage(bytes: [UInt8], status: UInt8?) {
        #expect(GRPCProbe.status(inMessage: bytes) == status)
    }

    @Test func theRequestNamesTheService() {
        let bytes = GRPCProbe.request(authority: "10.244.1.2:50051", service: "db")
        #expect(bytes.starts(with: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)))
        #expect(bytes.suffix(9) == [0, 0, 0, 0, 4, 0x0a, 2, 0x64, 0x62])
    }
}
