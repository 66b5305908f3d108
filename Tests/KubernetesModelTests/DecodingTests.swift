import Testing

@testable import KubernetesModel

@Suite struct DecodingTests {
    static func info(_ apiVersion: String, _ kind: String) throws -> ResourceInfo {
        try #require(Catalogue.builtIn.resource(apiVersion: apiVersion, kind: kind))
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

    @Test func fillsInDefaults() throws {
        let info = try Self.info("apps/v1", "Deployment")
        var object = try StructuralDecoding(Self.deployment(["name": "c", "image": "nginx"]), as: info).object
        info.applyDefaults(&object)
        #expect(object.spec["replicas"] == 1)
        #expect(object.spec["strategy"]["rollingUpdate"] == ["maxSurge": "25%", "maxUnavailable": "25%"])
        let pod = object.spec["template"]["spec"]
        #expect(pod["dnsPolicy"] == "ClusterFirst")
        #expect(pod["containers"][0]["imagePullPolicy"] == "Always")
        var again = object
        info.applyDefaults(&again)
        #expect(again == object)
    }

    @Test(arguments: [
        ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1.27", "IfNotPresent"),
        ("localhost:5000/nginx", "Always"),
        ("nginx@sha256:0123", "IfNotPresent"),
    ])
    func pullsByTag(image: String, policy: String) {
        #expect(Defaulting.pullPolicy(image) == policy)
    }

    @Test func writtenSecretsKeepOnlyData() throws {
        let info = try Self.info("v1", "Secret")
        var secret = Object(["apiVersion": "v1", "kind": "Secret", "stringData": ["user": "admin"]])
        info.applyDefaults(&secret)
        #expect(secret["data"] == ["user": "YWRtaW4="])
        #expect(secret["stringData"].isNull)
        #expect(secret["type"] == "Opaque")
    }

    @Test func customResourcesTakeTheirDefaults() throws {
        let schema = Schema(customResource: [
            "type": "object",
            "properties": [
                "spec": [
                    "type": "object", "required": ["size"],
                    "properties": [
                        "size": ["type": "integer", "minimum": 1], "colour": ["type": "string", "default": "red"],
                    ],
                ]
            ],
        ])
        let type = ResourceType(group: "e.com", version: "v1", plural: "widgets", kind: "Widget", namespaced: true)
        let info = ResourceInfo(type: type, definition: "com.e.v1.Widget", schema: schema, isCustom: true)
        let sent: JSON = ["metadata": ["name": "w", "namespace": "d"], "spec": ["size": 0, "more": true]]
        let decoded = try StructuralDecoding(sent, as: info)
        #expect(decoded.unknownFields == ["spec.more"])
        var widget = decoded.object
        info.applyDefaults(&widget)
        #expect(widget.spec == ["size": 0, "colour": "red"])
        #expect(
            info.validateCreate(widget).map { "\($0.path): \($0.message)" } == [
                "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"
            ])
    }
}
