import Testing

@testable import APIMachinery
@testable import KubernetesModel

@Suite struct SchemaIndexTests {
    @Test func everyReferenceLeadsToADefinition() {
        func check(_ schema: Schema, _ path: String) {
            if let reference = schema.reference {
                #expect(SchemaIndex.builtIn[reference] != nil, "\(path): \(reference)")
            }
            if let items = schema.items { check(items, path) }
            if let values = schema.additionalProperties { check(values, path) }
            for (name, field) in schema.properties { check(field, "\(path).\(name)") }
        }
        for (name, schema) in SchemaIndex.builtIn.definitions { check(schema, name) }
    }

    @Test func knowsHowListsMerge() throws {
        let spec = try #require(SchemaIndex.builtIn["io.k8s.api.core.v1.PodSpec"])
        let containers = try #require(spec.properties["containers"])
        #expect(containers.patchMergeKey == "name")
        #expect(containers.patchStrategy == ["merge"])
        #expect(containers.listType == .map(keys: ["name"]))
        #expect(spec.required == ["containers"])
        #expect(spec.member("tolerations")?.listType == .atomic)
    }
}
