import APIMachinery
import Kinds
import KubernetesModel

extension FuzzTarget {
    /// A body as it is; and, as an envelope is seldom guessed, a number of a kind and a message of it. What is decoded
    /// goes on as a created object does.
    static let protobuf = FuzzTarget("protobuf") { input in
        _ = try? ProtobufDecoding.decode(input)
        let kinds = Catalogue.builtIn.kinds
        guard let number = input.first.map({ Int($0) }), kinds.indices.contains(number) else { return }
        let kind = kinds[number]
        let body = envelope(kind.type.apiVersion, kind.type.kind, Array(input.dropFirst()))
        guard let json = try? ProtobufDecoding.decode(body) else { return }
        try requireSurvivesEncoding(json)
        try create(Object(json), kind)
    }

    /// `k8s\0`, then a `runtime.Unknown` with the type and the object's bytes.
    private static func envelope(_ apiVersion: String, _ kind: String, _ object: [UInt8]) -> [UInt8] {
        func field(_ number: UInt8, _ bytes: some Collection<UInt8>) -> [UInt8] {
            var length = bytes.count
            var head = [number << 3 | 2]
            while length >= 0x80 {
                head.append(UInt8(length & 0x7F) | 0x80)
                length >>= 7
            }
            return head + [UInt8(length)] + bytes
        }
        return Array("k8s\0".utf8) + field(1, field(1, apiVersion.utf8) + field(2, kind.utf8)) + field(2, object)
    }
}
