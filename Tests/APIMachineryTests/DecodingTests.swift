import Testing

@testable import APIMachinery
@testable import Kinds
@testable import KubernetesModel

@Suite struct DecodingTests {
    static func info(_ apiVersion: String, _ kind: String) throws -> ResourceInfo {
        try #require(Catalogue.builtIn.kind(apiVersion: apiVersion, kind: kind)).info
    }

    static func deployment(_ container: JSON) -> JSON {
        [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web", "namespace": "default"],
            "spec": [
                "selector": ["matchLabels": ["app": "web"]],
                "template": ["metadata": ["labels": ["app": "web"]], "spec": ["containers": [container]]],
            ],
        ]
    }

    @Test func namesUnknownFieldsAndDropsThem() throws {
        let info = try Self.info("apps/v1", "Deployment")
        let decoded = try StructuralDecoding(Self.deployment(["name": "c", "colour": "red"]), as: info)
        #expect(decoded.unknownFields == ["spec.template.spec.containers[0].colour"])
        #expect(decoded.object.spec["template"]["spec"]["containers"][0] == ["name": "c"])
        #expect(
            decoded.strictError(info)?.message
                == "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown field "
                + "\"spec.template.spec.containers[0].colour\"")
    }

    @Test func namesOnlySoManyFields() throws {
        let info = try Self.info("apps/v1", "Deployment")
        let unknown = Dictionary(uniqueKeysWithValues: (0..<60).map { ("u\($0)", JSON(1)) })
        let twice = (0..<60).map { "metadata.labels.d\($0)" }
        func decoded(_ fields: [String: JSON], _ duplicates: [String]) throws -> StructuralDecoding {
            let container = JSON.object(fields.merging(["name": "c"]) { $1 })
            return try StructuralDecoding(Self.deployment(container), as: info, duplicateFields: duplicates)
        }
        // What is unknown is not told a second time for coming twice.
        let both = try decoded(unknown, ["spec.template.spec.containers[0].u0"] + twice)
        #expect(both.unknownFields.count == 60)
        #expect(both.warnings.suffix(40) == twice.prefix(40).map { "duplicate field \"\($0)\"" })
        #expect(both.warnings.count == 100)

        let many = try decoded(
            Dictionary(uniqueKeysWithValues: (0..<1000).map { ("u\($0)", JSON(1)) }), twice)
        #expect(many.warnings.count == 100)
        #expect(many.object.spec["template"]["spec"]["containers"][0] == ["name": "c"])
    }

    @Test(
        arguments: [
            (JSON(Int(Int32.max) + 1), "number 2147483648"), (.bool(true), "bool"), (["a": 1], "object"),
        ] as [(JSON, String)])
    func aNumberOrTextIsNothingElse(value: JSON, found: String) throws {
        let json: JSON = [
            "apiVersion": "apps/v1", "kind": "Deployment",
            "spec": ["strategy": ["rollingUpdate": ["maxSurge": value]]],
        ]
        let error = #expect(throws: Status.self) {
            try StructuralDecoding(json, as: Self.info("apps/v1", "Deployment"))
        }
        #expect(error?.message.hasSuffix("json: cannot unmarshal \(found) into Go value of type int32") ?? false)
    }

    static let wrongTypes: [(JSON, String)] = [
        (
            ["name": "c", "ports": [["containerPort": "x"]]],
            "cannot unmarshal string into Go struct field "
                + "ContainerPort.spec.template.spec.containers.ports.containerPort of type int32"
        ),
        (
            ["name": 1],
            "cannot unmarshal number into Go struct field Container.spec.template.spec.containers.name of type string"
        ),
    ]

    @Test(arguments: wrongTypes)
    func refusesWrongTypes(container: JSON, why: String) throws {
        let info = try Self.info("apps/v1", "Deployment")
        let error = #expect(throws: Status.self) { try StructuralDecoding(Self.deployment(container), as: info) }
        #expect(error?.message == "Deployment in version \"v1\" cannot be handled as a Deployment: json: \(why)")
        #expect(error?.code == 400)
    }

    @Test func refusesWhatIsNoQuantity() throws {
        let info = try Self.info("apps/v1", "Deployment")
        let sent = Self.deployment(["name": "c", "resources": ["limits": ["cpu": "1x"]]])
        let error = #expect(throws: Status.self) { try StructuralDecoding(sent, as: info) }
        #expect(error?.message.hasSuffix(Quantity.syntax) == true)
    }

    @Test(arguments: [("1", "1"), ("0.5", "500m"), ("1000m", "1")])
    func writesQuantitiesCanonically(sent: String, kept: String) throws {
        let info = try Self.info("apps/v1", "Deployment")
        let sent = Self.deployment(["name": "c", "resources": ["limits": ["cpu": .string(sent)]]])
        let container = try StructuralDecoding(sent, as: info).object.spec["template"]["spec"]["containers"][0]
        #expect(container["resources"]["limits"]["cpu"].string == kept)
    }
}
