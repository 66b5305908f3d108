import APIMachinery
import Testing

@testable import Kinds
@testable import KubernetesModel

@Suite struct CatalogueTests {
    @Test func everyKindHasItsSchema() {
        for info in Catalogue.builtIn.resources {
            #expect(SchemaIndex.builtIn[info.definition] != nil, "\(info.definition)")
            guard info.supports("list") else { continue }
            #expect(SchemaIndex.builtIn[info.definition + "List"] != nil, "\(info.definition)")
        }
    }

    /// What the generated table has as an object and as a list of them is a kind, and is served.
    @Test func everyDefinitionOfAKindIsServed() {
        let served = Set(Catalogue.builtIn.resources.map(\.definition))
        for (name, schema) in SchemaIndex.builtIn.definitions
        where schema.properties["metadata"] != nil && SchemaIndex.builtIn[name + "List"] != nil {
            #expect(served.contains(name), "\(name)")
        }
    }

    @Test func kindsHaveNamesOfTheirOwn() {
        let catalogue = Catalogue.builtIn
        #expect(Set(catalogue.kinds.map { "\($0.type.apiVersion) \($0.type.plural)" }).count == catalogue.kinds.count)
        for kind in catalogue.kinds {
            #expect(catalogue.kind(kind.type) === kind)
            #expect(catalogue.kind(apiVersion: kind.type.apiVersion, kind: kind.type.kind) === kind)
            #expect(catalogue.kind(kind.storedAs)?.isStorageVersion == true, "\(kind.type)")
        }
    }

    /// The types that Martlet's components name without the catalogue are the catalogue's.
    @Test(
        arguments: [
            .pods, .services, .endpoints, .configMaps, .secrets, .events, .serviceAccounts, .replicationControllers,
            .persistentVolumeClaims, .persistentVolumes, .namespaces, .nodes, .deployments, .replicaSets,
            .statefulSets, .daemonSets, .jobs, .leases, .endpointSlices, .podDisruptionBudgets, .storageClasses,
            .priorityClasses,
        ] as [ResourceType])
    func namedTypesAreServed(type: ResourceType) {
        #expect(Catalogue.builtIn.kind(type)?.type == type)
    }
}
