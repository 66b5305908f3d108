import APIClient
import Addresses
import KubernetesModel
import Testing

@testable import Networking

struct DNSMessageTests {
    /// `dig +noedns echo.default.svc.cluster.local A`, as captured, but for its id.
    private static let query: [UInt8] =
        [0x12, 0x34, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 0, 4] + Array("echo".utf8) + [7] + Array("default".utf8) + [3]
        + Array("svc".utf8) + [7] + Array("cluster".utf8) + [5] + Array("local".utf8) + [0, 0, 1, 0, 1]
    private static let name = ["echo", "default", "svc", "cluster", "local"]

    @Test func decodesAQuery() throws {
        let message = try DNSMessage(decoding: Self.query)
        #expect(message.id == 0x1234)
        #expect(message.question == DNSMessage.Question(name: Self.name, type: DNSMessage.RecordType.a))
        #expect(message.recursionDesired)
        #expect(message.ednsSize == nil)
    }

    @Test func readsTheSizeThatEDNSAllows() throws {
        var query = Self.query
        query[11] = 1
        query += [0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0]
        #expect(try DNSMessage(decoding: query).ednsSize == 1232)
    }

    @Test func encodesAnAnswerWithCompressedNames() throws {
        var answer = DNSMessage(answering: try DNSMessage(decoding: Self.query))
        answer.isAuthoritative = true
        answer.answers = [DNSMessage.Record(name: Self.name, ttl: 5, value: .a("10.96.1.2"))]
        var wanted = Self.query
        wanted.replaceSubrange(2..<4, with: [0x85, 0x80])
        wanted[7] = 1
        wanted += [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 96, 1, 2]
        #expect(answer.encoded() == wanted)
    }

    @Test func truncatesWhatDoesNotFit() throws {
        var answer = DNSMessage(answering: try DNSMessage(decoding: Self.query))
        answer.answers = (0..<100).map { DNSMessage.Record(name: Self.name, ttl: 5, value: .a("10.9.0.\($0)")) }
        let bytes = answer.encoded(limit: 512)
        #expect(bytes.count <= 512)
        #expect(bytes[2] & 0x02 != 0)
        #expect(DNSMessage.addresses(in: bytes).count == Int(bytes[7]))
        #expect(DNSMessage.addresses(in: answer.encoded()).count == 100)
    }

    @Test(
        arguments: [
            ([0x12], nil), (Array(query.prefix(10)), 0x1234), (Array(query.dropLast(3)), 0x1234),
            // A name that points at itself.
            (Array(query.prefix(12)) + [0xC0, 12, 0, 1, 0, 1], 0x1234),
            // A name that points ahead.
            (Array(query.prefix(12)) + [0xC0, 14, 0xC0, 12, 0, 1, 0, 1], 0x1234),
        ] as [([UInt8], UInt16?)])
    func refusesWhatIsNoQuery(bytes: [UInt8], id: UInt16?) {
        #expect(throws: DNSFormatError(id: id)) { try DNSMessage(decoding: bytes) }
    }
}

struct ClusterZoneTests {
    /// A zone of a cluster with one Service of each sort.
    private func withZone(host: IPv4Address? = nil, _ body: (ClusterZone) throws -> Void) async throws {
        let client = TestClient()
        client.put(.namespaces, Object(.namespaces, name: "default"))
        client.put(.services, makeService("web", clusterIP: "10.96.1.1"))
        client.put(.services, makeService("db", clusterIP: "None"))
        client.put(.services, makeService("empty", clusterIP: "None"))
        client.put(
            .services, makeService("ext", clusterIP: "", ["type": "ExternalName", "externalName": "example.com"]))
        var slice = makeSlice("db", ["10.244.1.2": .ready, "10.244.1.3": .ready, "10.244.1.4": .notReady], port: 5432)
        slice["endpoints"][0]["hostname"] = "db-0"
        client.put(.endpointSlices, slice)
        let zone = ClusterZone(client: client, domain: "cluster.local", host: host)
        try await withThrowingDiscardingTaskGroup { group in
            for informer in [zone.services, zone.slices, zone.namespaces] {
                group.addTask { await informer.run() }
            }
            for informer in [zone.services, zone.slices, zone.namespaces] { await informer.waitForSync() }
            try body(zone)
            group.cancelAll()
        }
    }

    @Test(arguments: ["host.martlet.internal", "host.docker.internal", "host.minikube.internal"])
    func theHostHasNamesWherePodsReachIt(_ name: String) async throws {
        let question = DNSMessage.Question(name: name.split(separator: ".").map(String.init), type: 1)
        try await withZone(host: AddressPlan.host) { zone in
            #expect(describe(zone.answer(question)) == "172.30.255.2")
            #expect(describe(zone.answer(DNSMessage.Question(name: question.name, type: 28))) == "no data")
        }
        // Whoever might know such a name outside would mean another machine.
        try await withZone { zone in #expect(describe(zone.answer(question)) == "no such name") }
    }

    private func describe(_ answer: ClusterZone.Answer) -> String {
        switch answer {
        case .records(let records, _):
            records.map { record in
                switch record.value {
                case .a(let address): address
                case .cname(let name), .ptr(let name): name.joined(separator: ".")
                case .srv(let priority, let weight, let port, let target):
                    "\(priority) \(weight) \(port) \(target.joined(separator: "."))"
                case .txt(let text): text
                case .soa: "SOA"
                }
            }.sorted().joined(separator: ", ")
        case .noData: "no data"
        case .noSuchName: "no such name"
        case .elsewhere: "elsewhere"
        case .alias(_, let target): "alias of \(target.joined(separator: "."))"
        }
    }

    @Test(arguments: [
        ("web.default.svc.cluster.local", DNSMessage.RecordType.a, "10.96.1.1"),
        ("web.default.svc.cluster.local", DNSMessage.RecordType.aaaa, "no data"),
        ("db.default.svc.cluster.local", DNSMessage.RecordType.a, "10.244.1.2, 10.244.1.3"),
        ("db-0.db.default.svc.cluster.local", DNSMessage.RecordType.a, "10.244.1.2"),
        ("10-244-1-3.db.default.svc.cluster.local", DNSMessage.RecordType.a, "10.244.1.3"),
        ("db-9.db.default.svc.cluster.local", DNSMessage.RecordType.a, "no such name"),
        ("empty.default.svc.cluster.local", DNSMessage.RecordType.a, "no such name"),
        (
            "_main._tcp.web.default.svc.cluster.local", DNSMessage.RecordType.srv,
            "0 100 80 web.default.svc.cluster.local"
        ),
        (
            "_main._tcp.db.default.svc.cluster.local", DNSMessage.RecordType.srv,
            "0 50 5432 10-244-1-3.db.default.svc.cluster.local, 0 50 5432 db-0.db.default.svc.cluster.local"
        ),
        ("_main._udp.web.default.svc.cluster.local", DNSMessage.RecordType.srv, "no such name"),
        ("ext.default.svc.cluster.local", DNSMessage.RecordType.a, "alias of example.com"),
        ("ext.default.svc.cluster.local", DNSMessage.RecordType.cname, "example.com"),
        ("10-244-1-9.default.pod.cluster.local", DNSMessage.RecordType.a, "10.244.1.9"),
        ("10-244-1-9.nowhere.pod.cluster.local", DNSMessage.RecordType.a, "no such name"),
        ("default.svc.cluster.local", DNSMessage.RecordType.a, "no data"),
        ("nowhere.svc.cluster.local", DNSMessage.RecordType.a, "no such name"),
        ("nope.default.svc.cluster.local", DNSMessage.RecordType.a, "no such name"),
        ("cluster.local", DNSMessage.RecordType.soa, "SOA"),
        ("dns-version.cluster.local", DNSMessage.RecordType.txt, "1.1.0"),
        ("1.1.96.10.in-addr.arpa", DNSMessage.RecordType.ptr, "web.default.svc.cluster.local"),
        ("2.1.244.10.in-addr.arpa", DNSMessage.RecordType.ptr, "db-0.db.default.svc.cluster.local"),
        ("9.9.244.10.in-addr.arpa", DNSMessage.RecordType.ptr, "no such name"),
        ("8.8.8.8.in-addr.arpa", DNSMessage.RecordType.ptr, "elsewhere"),
        ("example.com", DNSMessage.RecordType.a, "elsewhere"),
    ])
    func answers(name: String, type: UInt16, wanted: String) async throws {
        try await withZone { zone in
            let question = DNSMessage.Question(name: name.split(separator: ".").map(String.init), type: type)
            #expect(describe(zone.answer(question)) == wanted)
        }
    }
}
