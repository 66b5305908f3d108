import Testing

@testable import APIMachinery
@testable import Kinds
@testable import KubernetesModel

/// What tests of kinds begin with.
enum Sample {
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
}

@Suite struct DefaultingTests {
    @Test func fillsInDefaults() throws {
        let info = try Sample.info("apps/v1", "Deployment")
        var object = try StructuralDecoding(Sample.deployment(["name": "c", "image": "nginx"]), as: info).object
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
        let info = try Sample.info("v1", "Secret")
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
