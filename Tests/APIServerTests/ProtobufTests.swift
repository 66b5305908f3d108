import KubernetesModel
import Testing

@testable import APIServer

@Suite struct ProtobufTests {
    /// A ConfigMap as kubectl 1.33 sends it: an envelope around `metadata.name` and one entry of `data`.
    @Test func anObjectIsDecodedByItsFieldsNumbers() throws {
        func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }
        func text(_ number: UInt8, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }
        let object = field(1, text(1, "c") + text(2, "")) + field(2, text(1, "k") + text(2, "v"))
        let body = Array("k8s\0".utf8) + field(1, text(1, "v1") + text(2, "ConfigMap")) + field(2, object)
        #expect(
            try ProtobufDecoding.decode(body)
                == ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "c"], "data": ["k": "v"]])
        #expect(throws: Status.self) { try ProtobufDecoding.decode(Array(body.dropLast(3))) }
        #expect(throws: Status.self) { try ProtobufDecoding.decode(Array("{}".utf8)) }
    }
}
