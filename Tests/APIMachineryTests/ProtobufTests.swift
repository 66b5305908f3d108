import KubernetesModel
import Testing

@testable import APIMachinery

@Suite struct ProtobufTests {
    private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2, UInt8(bytes.count)] + bytes
    }
    private func text(_ number: UInt8, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }
    private func body(_ apiVersion: String, _ kind: String, _ object: [UInt8]) -> [UInt8] {
        Array("k8s\0".utf8) + field(1, text(1, apiVersion) + text(2, kind)) + field(2, object)
    }

    /// A ConfigMap as kubectl 1.33 sends it: an envelope around `metadata.name` and one entry of `data`.
    @Test func anObjectIsDecodedByItsFieldsNumbers() throws {
        let object = field(1, text(1, "c") + text(2, "")) + field(2, text(1, "k") + text(2, "v"))
        let body = body("v1", "ConfigMap", object)
        #expect(
            try ProtobufDecoding.decode(body)
                == ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "c"], "data": ["k": "v"]])
        #expect(throws: Status.self) { try ProtobufDecoding.decode(Array(body.dropLast(3))) }
        #expect(throws: Status.self) { try ProtobufDecoding.decode(Array("{}".utf8)) }
    }

    /// A volume's source is a message of its own in protobuf, and among the volume's members in JSON.
    @Test func embeddedMessagesAreMembers() throws {
        let volume = text(1, "v") + field(2, field(1, text(1, "/srv")))
        #expect(
            try ProtobufDecoding.decode(body("v1", "Pod", field(2, field(1, volume))))["spec"]
                == ["volumes": [["name": "v", "hostPath": ["path": "/srv"]]]])
    }

    /// Zero is a value of what is a pointer in Go, such as `replicas`, and none of what is not, such as `paused`.
    @Test func zeroIsAValueOfPointers() throws {
        let spec: [UInt8] = [1 << 3, 0, 7 << 3, 0]
        #expect(
            try ProtobufDecoding.decode(body("apps/v1", "Deployment", field(2, spec)))["spec"] == ["replicas": 0])
    }

    /// Lists in maps are messages: a review's extra values.
    @Test func listsInMapsAreMessages() throws {
        let extra = field(5, text(1, "k") + field(2, text(1, "a") + text(1, "b")))
        #expect(
            try ProtobufDecoding.decode(body("authorization.k8s.io/v1", "SubjectAccessReview", field(2, extra)))["spec"]
                == ["extra": ["k": ["a", "b"]]])
    }

    /// The year of a time of 64 bits has more digits than a calendar has room for.
    @Test(arguments: [67_768_036_191_676_799, Int64.max, Int64.min, 253_402_300_800])
    func timesAreOfTheYearsThatTheAPIHas(seconds: Int64) throws {
        var number = UInt64(bitPattern: seconds)
        var time: [UInt8] = [1 << 3]
        while number >= 0x80 {
            time.append(UInt8(number & 0x7F) | 0x80)
            number >>= 7
        }
        time.append(UInt8(number))
        #expect(throws: Status.self) { try ProtobufDecoding.decode(body("v1", "Event", field(6, time))) }
        #expect(Timestamp(seconds: Int(seconds)).description.count == 20)
    }

    /// Each entry takes as long as the first.
    @Test func aMapMayHaveManyEntries() throws {
        let count = 50_000
        let entries = (0..<count).flatMap { field(2, text(1, "\($0)")) }
        let length = entries.count
        let envelope = field(1, text(1, "v1") + text(2, "ConfigMap"))
        let head: [UInt8] =
            [2 << 3 | 2] + [UInt8(length & 0x7F) | 0x80, UInt8(length >> 7 & 0x7F) | 0x80, UInt8(length >> 14)]
        let began = ContinuousClock.now
        let json = try ProtobufDecoding.decode(Array("k8s\0".utf8) + envelope + head + entries)
        #expect(json["data"].object?.count == count)
        #expect(ContinuousClock.now - began < .seconds(30), "a copy for each entry takes minutes")
    }
}
