import APIMachinery
import Kinds
import KubernetesModel

extension FuzzTarget {
    /// Three lines: a schema, columns, an object. Where a definition with these is valid, the object goes the way of
    /// others of its kind.
    static let customResources = FuzzTarget("custom-resources", maxLength: 4096) { input in
        let lines = input.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
        guard lines.count == 3, let schema = try? JSON(decoding: lines[0]), let columns = try? JSON(decoding: lines[1]),
            let object = try? JSON(decoding: lines[2]), object.object != nil,
            let definitions = Catalogue.builtIn.kind(
                apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition"),
            let decoded = try? StructuralDecoding(definition(schema, columns), as: definitions.info)
        else { return }
        var definition = decoded.object
        definitions.applyDefaults(&definition)
        guard definitions.validateCreate(definition).isEmpty, let kind = Kind(definition, version: "v1") else { return }
        try create(Object(object), kind)
    }

    private static func definition(_ schema: JSON, _ columns: JSON) -> JSON {
        [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": "widgets.e.com"],
            "spec": [
                "group": "e.com", "scope": "Cluster", "names": ["plural": "widgets", "kind": "Widget"],
                "versions": [
                    [
                        "name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema],
                        "additionalPrinterColumns": columns, "subresources": ["status": [:]],
                    ]
                ],
            ],
        ]
    }
}
