import Testing

@testable import KubernetesModel

@Suite struct ValidationTests {
    /// A pod of one container that is right, with some members changed.
    static func pod(_ change: (inout JSON) -> Void) -> Object {
        var json: JSON = [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p", "namespace": "default"],
            "spec": ["containers": [["name": "c", "image": "nginx"]]],
        ]
        change(&json["spec"])
        return Object(json)
    }

    static func faults(_ object: Object) throws -> [String] {
        let info = try DecodingTests.info(object.apiVersion, object.kind)
        var object = object
        info.applyDefaults(&object)
        return info.validateCreate(object).map { "\($0.path): \($0.message)" }
    }

    @Test(
        arguments: [
            ("image", nil, "image: Required value"),
            (
                "ports", [["containerPort": 70000]],
                "ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"
            ),
            ("volumeMounts", [["name": "v", "mountPath": "/v"]], "volumeMounts[0].name: Not found: \"v\""),
            ("livenessProbe", [:], "livenessProbe: Required value: must specify a handler type"),
            (
                "imagePullPolicy", "Sometimes",
                "imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"IfNotPresent\", \"Never\""
            ),
            (
                "resources", ["requests": ["cpu": "2"], "limits": ["cpu": "1"]],
                "resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"
            ),
            (
                "env", [["name": "A", "valueFrom": ["fieldRef": ["fieldPath": ""]]]],
                "env[0].valueFrom.fieldRef.fieldPath: Required value"
            ),
        ] as [(String, JSON, String)])
    func findsContainerFaults(field: String, value: JSON, wanted: String) throws {
        let faults = try Self.faults(Self.pod { $0["containers"][0][field] = value })
        #expect(faults == ["spec.containers[0].\(wanted)"])
    }

    @Test func findsDuplicateNames() throws {
        let faults = try Self.faults(Self.pod { $0["containers"].append(["name": "c", "image": "redis"]) })
        #expect(faults == ["spec.containers[1].name: Duplicate value: \"c\""])
    }

    @Test func joinsFaultsAsKubernetesDoes() throws {
        let info = try DecodingTests.info("v1", "Pod")
        var pod = Self.pod { $0["containers"] = [] }
        pod.metadata["namespace"] = nil
        info.applyDefaults(&pod)
        let status = Status.invalid(info.type, pod.name, info.validateCreate(pod))
        #expect(
            status.message
                == "Pod \"p\" is invalid: [metadata.namespace: Required value, spec.containers: Required value]")
        #expect(status.causes.map(\.field) == ["metadata.namespace", "spec.containers"])
    }

    @Test func keepsSelectorsAsTheyAre() throws {
        let info = try DecodingTests.info("apps/v1", "Deployment")
        var old = Object(DecodingTests.deployment(["name": "c", "image": "nginx"]))
        info.applyDefaults(&old)
        var new = old
        new.spec["selector"] = ["matchLabels": ["app": "other"]]
        #expect(
            info.validateUpdate(new, old: old).map { "\($0.path): \($0.message)" } == [
                "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"web\"}: "
                    + "`selector` does not match template `labels`",
                "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"app\":\"other\"}, "
                    + "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable",
            ])
    }

    @Test(arguments: [("image", true), ("command", false)])
    func letsOnlyImagesOfPodsChange(field: String, isAllowed: Bool) throws {
        let info = try DecodingTests.info("v1", "Pod")
        var old = Self.pod { _ in }
        info.applyDefaults(&old)
        var new = old
        new.spec["containers"][0][field] = field == "image" ? "nginx:2" : ["true"]
        #expect(info.validateUpdate(new, old: old).isEmpty == isAllowed)
    }

    @Test(arguments: [
        ("my-name", true), ("a.b", false), ("-a", false), ("A", false), (String(repeating: "a", count: 64), false),
        ("", false),
    ])
    func knowsLabels(name: String, isLabel: Bool) {
        #expect(Names.label(name).isEmpty == isLabel)
    }

    @Test(arguments: [
        ("app", true), ("example.com/app", true), ("a/b/c", false), ("/a", false), ("App_1.x", true), ("a b", false),
    ])
    func knowsQualifiedNames(name: String, isQualified: Bool) {
        #expect(Names.qualifiedName(name).isEmpty == isQualified)
    }
}
