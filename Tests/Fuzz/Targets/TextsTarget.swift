import APIMachinery
import KubernetesModel

extension FuzzTarget {
    /// A letter for one of the short formats of fields, then its text.
    static let texts = FuzzTarget("texts", maxLength: 256) { input in
        let text = Array(input.dropFirst()).text
        switch input.first {
        case UInt8(ascii: "t"):
            guard let time = Timestamp(text) else { return }
            let moments = Timestamp.earliest...Timestamp.latest
            try require(!moments.contains(time) || Timestamp(time.nano) == time, "\(text) is \(time.nano)")
            _ = (time.description, time.advanced(by: .greatestFiniteMagnitude), time.since(.latest))
        case UInt8(ascii: "b"):
            guard let bytes = Base64.decode(text) else { return }
            try require(Base64.decode(Base64.encode(bytes)) == bytes, "\(text) is other bytes")
        case UInt8(ascii: "i"):
            guard let value = (try? JSON(decoding: text)).flatMap(IntOrString.init) else { return }
            _ = (value.percent, value.scaled(total: .max, roundUp: true), value.scaled(total: .min, roundUp: false))
        case UInt8(ascii: "p"):
            let document: JSON = ["a": [["b": "c", "d": [1, 2]], ["b": "e"]], "f": ["g": true]]
            _ = JSONPath(text)?.values(in: document)
        case UInt8(ascii: "n"):
            _ = (Names.qualifiedName(text), Names.labelValue(text), Names.subdomain(text))
        default: break
        }
    }
}
