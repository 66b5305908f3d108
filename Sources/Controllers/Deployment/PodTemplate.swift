import KubernetesModel

/// Equality and names of pod templates: each ReplicaSet of a Deployment stands for one template.
enum PodTemplate {
    static let hashLabel = "pod-template-hash"

    /// Whether two templates are the same but for the hash label, absent and empty fields being alike.
    static func areEqual(_ left: JSON, _ right: JSON) -> Bool { plain(left) == plain(right) }

    /// The value of `pod-template-hash`: FNV-1a over the template, in characters that form no words.
    ///
    /// - Parameter collisions: how often the name that comes of it was taken by a ReplicaSet of another template.
    static func hash(_ template: JSON, collisions: Int?) -> String {
        var hash: UInt32 = 0x811C_9DC5
        func mix(_ byte: UInt8) { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        for byte in plain(template).encoded(sorted: true) { mix(byte) }
        if let collisions { for byte in String(collisions).utf8 { mix(byte) } }
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
        return String(decoding: String(hash).utf8.map { alphabet[Int($0) % alphabet.count] }, as: UTF8.self)
    }

    private static func plain(_ template: JSON) -> JSON {
        var template = template
        template["metadata"]["labels"][hashLabel] = .null
        return pruned(template)
    }

    private static func pruned(_ json: JSON) -> JSON {
        switch json {
        case .object(let members):
            let kept = members.mapValues(pruned).filter { !$0.value.isNull }
            return kept.isEmpty ? .null : .object(kept)
        case .array(let elements): return elements.isEmpty ? .null : .array(elements.map(pruned))
        default: return json
        }
    }
}
