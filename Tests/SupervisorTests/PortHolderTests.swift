import Testing

@testable import Supervisor

@Suite struct PortHolderTests {
    private static let table = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0
           1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100 0 0 10 0
           2: 0100007F:01BB 0200007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0 100 0 0 10 0

        """

    /// A line of the table counts where it listens at the address, or at all of them.
    @Test(
        arguments: [
            ("127.16.0.1", 80, "0.0.0.0", "12"), ("127.0.0.1", 8080, "127.0.0.1", "11"), ("127.16.0.1", 8080, nil, nil),
            ("127.0.0.1", 443, nil, nil), ("127.0.0.1", 8081, nil, nil),
        ] as [(String, Int, String?, String?)])
    func isFound(_ address: String, _ port: Int, _ host: String?, _ inode: String?) {
        let place = HostPorts.Address(address: address, port: port, transport: "TCP")
        let found = PortHolder.holder(of: place, inTable: Self.table, isStream: true)
        #expect(found?.host == host && found?.inode == inode)
    }

    @Test func oneOfIPv6HasThePortToo() {
        let zeros = String(repeating: "0", count: 32)
        let line =
            "   0: \(zeros):0050 \(zeros):0000 0A 00000000:00000000 00:00000000 00000000 0 0 14 1 0 100 0 0 10 0\n"
        let place = HostPorts.Address(address: "127.16.0.1", port: 80, transport: "TCP")
        let found = PortHolder.holder(of: place, inTable: "head\n" + line, isStream: true)
        #expect(found?.host == "[::]" && found?.inode == "14")
    }
}
