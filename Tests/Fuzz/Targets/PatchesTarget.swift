import APIMachinery
import Kinds
import KubernetesModel

extension FuzzTarget {
    /// Three lines: the kind of patch, the document, the patch. What comes out is JSON that a client can read, and not
    /// many times what went in.
    static let patches = FuzzTarget("patches") { input in
        let lines = input.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
        guard lines.count == 3, let document = try? JSON(decoding: lines[1]), let patch = try? JSON(decoding: lines[2])
        else { return }
        let result: JSON
        switch lines[0].first {
        case UInt8(ascii: "j"):
            guard let patched = try? Patching.jsonPatch(patch, to: document) else { return }
            result = patched
        case UInt8(ascii: "m"):
            result = Patching.merge(patch, into: document)
            try require(Patching.merge(patch, into: result) == result, "a merge patch applied twice differs")
        case UInt8(ascii: "s"):
            let object = Object(document)
            let kind = Catalogue.builtIn.kind(apiVersion: object.apiVersion, kind: object.kind)
            guard let schema = kind?.schema,
                let patched = try? Patching.strategicMerge(patch, into: document, schema: schema)
            else { return }
            result = patched
        default: return
        }
        try require(
            result.encoded().count <= input.count + (4 << 20), "\(result.encoded().count) bytes of a small patch")
        try requireSurvivesEncoding(result)
    }
}
