import Testing

@testable import KubernetesModel

@Suite struct IdentifierTests {
    @Test func hashesTemplatesStably() {
        let template: JSON = ["metadata": ["labels": ["a": "b"]], "spec": ["containers": [["name": "c"]]]]
        let hash = Identifiers.templateHash(template)
        #expect(hash == Identifiers.templateHash(template))
        #expect(hash != Identifiers.templateHash(template, collisions: 1))
        #expect(hash.allSatisfy { "bcdfghjklmnpqrstvwxz2456789".contains($0) })
    }
}
