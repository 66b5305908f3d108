import Testing

@testable import APIMachinery
@testable import Kinds
@testable import KubernetesModel

/// A custom resource's kind is made from its definition, and serves through the same functions as a built-in one.
@Suite struct CustomResourceTests {
    static let definition = Object([
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": ["name": "widgets.e.com"],
        "spec": [
            "group": "e.com", "scope": "Namespaced",
            "names": ["plural": "widgets", "kind": "Widget", "shortNames": ["w"]],
            "versions": [
                [
                    "name": "v1", "served": true, "storage": true, "subresources": ["status": [:], "scale": [:]],
                    "selectableFields": [["jsonPath": ".spec.colour"]],
                    "additionalPrinterColumns": [
                        ["name": "Size", "type": "integer", "jsonPath": ".spec.size"],
                        ["name": "Colour", "type": "string", "jsonPath": ".spec.colour", "priority": 1],
                    ],
                    "schema": [
                        "openAPIV3Schema": [
                            "type": "object",
                            "properties": [
                                "spec": [
                                    "type": "object", "required": ["size"],
                                    "properties": [
                                        "size": ["type": "integer", "minimum": 1],
                                        "colour": ["type": "string", "default": "red"],
                                    ],
                                ],
                                "status": [
                                    "type": "object",
                                    "properties": ["phase": ["type": "string", "enum": ["Cut", "Sewn"]]],
                                ],
                            ],
                        ]
                    ],
                ],
                ["name": "v2", "served": false, "storage": false],
            ],
        ],
    ])

    static func widget(_ spec: JSON) -> Object {
        Object([
            "apiVersion": "e.com/v1", "kind": "Widget", "metadata": ["name": "w", "namespace": "d"], "spec": spec,
        ])
    }

    let catalogue: Catalogue
    let kind: Kind

    init() throws {
        var catalogue = Catalogue.builtIn
        catalogue.add(try #require(Kind(Self.definition, version: "v1")))
        self.catalogue = catalogue
        kind = try #require(catalogue.kind(group: "e.com", version: "v1", plural: "widgets"))
    }

    @Test func isServedAsItsDefinitionSays() {
        #expect(kind.info.definition == "com.e.v1.Widget")
        #expect(kind.info.singular == "widget" && kind.listKind == "WidgetList" && kind.info.shortNames == ["w"])
        #expect(kind.info.subresources.map(\.name) == ["scale", "status"])
        #expect(kind.isStorageVersion)
        #expect(Kind(Self.definition, version: "v2") == nil)
    }

    @Test func isPrunedAndDefaulted() throws {
        let decoded = try StructuralDecoding(Self.widget(["size": 2, "more": true]).json, as: kind.info)
        #expect(decoded.unknownFields == ["spec.more"])
        var widget = decoded.object
        kind.applyDefaults(&widget)
        #expect(widget.spec == ["size": 2, "colour": "red"])
        #expect(kind.validateCreate(widget).isEmpty)
    }

    @Test func isValidated() {
        func faults(_ errors: [FieldError]) -> [String] { errors.map { "\($0.path): \($0.message)" } }
        let small = "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"
        #expect(faults(kind.validateCreate(Self.widget(["size": 0]))) == [small])
        let old = Self.widget(["size": 1])
        #expect(faults(kind.validateUpdate(Self.widget(["size": 0]), old: old)) == [small])
        var new = old
        new.status = ["phase": "Lost"]
        #expect(
            faults(kind.validateUpdate(new, old: old, subresource: "status")) == [
                "status.phase: Unsupported value: \"Lost\": supported values: \"Cut\", \"Sewn\""
            ])
        var unnamed = old
        unnamed.metadata["name"] = "W"
        #expect(kind.validateCreate(unnamed).map(\.path) == ["metadata.name"])
    }

    @Test func hasItsColumnsAndFields() {
        let table = kind.table(of: [Self.widget(["size": 2, "colour": "red"])])
        #expect(table["columnDefinitions"].items.map { $0["name"] } == ["Name", "Size", "Colour"])
        #expect(table["columnDefinitions"].items.map { $0["priority"] } == [0, 0, 1])
        #expect(table["rows"][0]["cells"] == ["w", 2, "red"])
        #expect(kind.selectionFault("spec.colour") == nil)
        #expect(kind.selectionFault("spec.size") == "field label not supported: spec.size")
    }

    @Test func beginsWithoutStatus() {
        var widget = Self.widget(["size": 1])
        widget.status = ["phase": "Sewn"]
        kind.strategy.prepareForCreate(&widget)
        #expect(widget.status.isNull)
        #expect(kind.strategy.countsGenerations)
    }
}
