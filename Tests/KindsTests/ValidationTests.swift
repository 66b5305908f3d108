import Testing

@testable import APIMachinery
@testable import Kinds
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
        let kind = try Sample.kind(object.apiVersion, object.kind)
        var object = object
        kind.applyDefaults(&object)
        return kind.validateCreate(object).map { "\($0.path): \($0.message)" }
    }

    @Test(
        arguments: [
            ("image", .null, "image: Required value"),
            (
                "ports", [["containerPort": 70000]],
                "ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"
            ),
            ("volumeMounts", [["name": "v", "mountPath": "/v"]], "volumeMounts[0].name: Not found: \"v\""),
            ("livenessProbe", [:], "livenessProbe: Required value: must specify a handler type"),
            (
                "lifecycle", ["preStop": ["sleep": ["seconds": 31]]],
                "lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than "
                    + "terminationGracePeriodSeconds (30)"
            ),
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

    @Test(
        arguments: [
            ("configMap", ["name": "c", "defaultMode": 0o777], nil),
            (
                "configMap", ["name": "c", "defaultMode": 0o1000],
                "configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive"
            ),
            ("secret", ["items": [["key": "a", "path": "b"]]], "secret.secretName: Required value"),
            (
                "projected", ["sources": [["serviceAccountToken": ["path": "t", "expirationSeconds": 599]]]],
                "projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 599: may not specify a "
                    + "duration less than 10 minutes"
            ),
            (
                "projected", ["sources": [["serviceAccountToken": ["path": "t", "expirationSeconds": JSON(Int.max)]]]],
                "projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 9223372036854775807: may "
                    + "not specify a duration larger than 2^32 seconds"
            ),
            (
                "projected", ["sources": [["configMap": ["items": [["key": "a", "path": "../b"]]]]]],
                "projected.sources[0].configMap.name: Required value; "
                    + "projected.sources[0].configMap.items[0].path: Invalid value: \"../b\": must not contain '..'"
            ),
            (
                "downwardAPI", ["items": [["path": "a"]]],
                "downwardAPI.items[0]: Required value: one of fieldRef and resourceFieldRef is required"
            ),
            (
                "emptyDir", ["sizeLimit": "-1"],
                "emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"
            ),
            ("hostPath", ["path": "/a/../b"], "hostPath.path: Invalid value: \"/a/../b\": must not contain '..'"),
        ] as [(String, JSON, String?)])
    func findsVolumeFaults(kind: String, source: JSON, wanted: String?) throws {
        let faults = try Self.faults(Self.pod { $0["volumes"] = [["name": "v", kind: source]] })
        let expected = wanted?.split(separator: "; ").map { "spec.volumes[0].\($0)" } ?? []
        #expect(faults == expected)
    }

    /// A claim's volume is the pods' without being the template's.
    @Test(arguments: [("data", []), ("other", ["Not found: \"data\""])])
    func claimsAreVolumes(claim: String, wanted: [String]) throws {
        var set = Sample.deployment([
            "name": "c", "image": "i", "volumeMounts": [["name": "data", "mountPath": "/data"]],
        ])
        set["kind"] = "StatefulSet"
        set["spec"]["serviceName"] = "web"
        set["spec"]["volumeClaimTemplates"] = [
            [
                "metadata": ["name": .string(claim)],
                "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]],
            ]
        ]
        let faults = try Self.faults(Object(set))
        #expect(faults == wanted.map { "spec.template.spec.containers[0].volumeMounts[0].name: \($0)" })
    }

    @Test func findsDuplicateNames() throws {
        let faults = try Self.faults(Self.pod { $0["containers"].append(["name": "c", "image": "redis"]) })
        #expect(faults == ["spec.containers[1].name: Duplicate value: \"c\""])
    }

    @Test func joinsFaultsAsKubernetesDoes() throws {
        let kind = try Sample.kind("v1", "Pod")
        var pod = Self.pod { $0["containers"] = [] }
        pod.metadata["namespace"] = .null
        kind.applyDefaults(&pod)
        let status = Status.invalid(kind.type, pod.name, kind.validateCreate(pod))
        #expect(
            status.message
                == "Pod \"p\" is invalid: [metadata.namespace: Required value, spec.containers: Required value]")
        #expect(status.causes.map(\.field) == ["metadata.namespace", "spec.containers"])
    }

    @Test(
        arguments: [
            (
                ["kind": "ConfigMap", "metadata": ["name": "c", "labels": ["a": "-x"]]],
                [
                    "metadata.labels: Invalid value: \"-x\": a valid label must be an empty string or consist of alphanumeric"
                ]
            ),
            // Events are called after what they are about, with a suffix.
            (
                [
                    "kind": "Event", "metadata": ["name": "x", "generateName": "x."],
                    "involvedObject": ["namespace": "default"],
                ], []
            ),
            (
                ["kind": "Service", "spec": ["externalTrafficPolicy": "Local", "ports": [["port": 80]]]],
                [
                    "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible "
                        + "services"
                ]
            ),
            (
                [
                    "kind": "Service",
                    "spec": [
                        "ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv4", "IPv6"], "ports": [["port": 80]],
                    ],
                ],
                [
                    "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for "
                        + "dual-stack services",
                    "spec.ipFamilies[1]: Invalid value: \"IPv6\": not configured on this cluster",
                ]
            ),
            (
                ["kind": "Service", "spec": ["ipFamilyPolicy": "RequireDualStack", "clusterIP": "None"]], []
            ),
            (
                ["kind": "Service", "spec": ["externalIPs": ["127.0.0.1", "10.1.1.1"], "ports": [["port": 80]]]],
                [
                    "spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, "
                        + "::1/128)"
                ]
            ),
            (
                [
                    "kind": "Endpoints",
                    "subsets": [
                        [
                            "addresses": [
                                ["ip": "0:0:0:0:0:0:0:1"], ["ip": "::ffff:127.0.0.1"], ["ip": "FEBF::1"],
                                ["ip": "fec0::1"], ["ip": "ff12::1"], ["ip": "0::"], ["ip": "2001:db8::1"],
                                ["ip": "1:2"], ["ip": "10.0.0.1\0.evil"],
                            ]
                        ]
                    ],
                ],
                [
                    "subsets[0].addresses[0].ip: Invalid value: \"0:0:0:0:0:0:0:1\": may not be in the loopback range",
                    "subsets[0].addresses[1].ip: Invalid value: \"::ffff:127.0.0.1\": may not be in the loopback range",
                    "subsets[0].addresses[2].ip: Invalid value: \"FEBF::1\": may not be in the link-local range",
                    "subsets[0].addresses[4].ip: Invalid value: \"ff12::1\": may not be in the link-local multicast",
                    "subsets[0].addresses[5].ip: Invalid value: \"0::\": may not be unspecified (0::)",
                    "subsets[0].addresses[7].ip: Invalid value: \"1:2\": must be a valid IP address",
                    "subsets[0].addresses[8].ip: Invalid value: ",
                ]
            ),
            (
                ["kind": "ResourceQuota", "spec": ["hard": ["pods": -1, "foo": 1, "count/jobs.batch": 2]]],
                [
                    "spec.hard[foo]: Invalid value: \"foo\": must be a standard resource for quotas",
                    "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0",
                ]
            ),
        ] as [(JSON, [String])])
    func findsFaultsOfOtherKinds(json: JSON, wanted: [String]) throws {
        var json = json
        json["apiVersion"] = "v1"
        if json["metadata"].isNull { json["metadata"] = ["name": "s"] }
        json["metadata"]["namespace"] = "default"
        let faults = try Self.faults(Object(json))
        #expect(faults.count == wanted.count)
        for (fault, start) in zip(faults, wanted) { #expect(fault.hasPrefix(start)) }
    }

    @Test func jobsEnd() throws {
        let job = Object([
            "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "j", "namespace": "default"],
            "spec": ["template": ["spec": ["containers": [["name": "c", "image": "i"]]]]],
        ])
        #expect(
            try Self.faults(job) == [
                "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""
            ])
    }

    @Test(
        arguments: [
            (["10.96.7.8"], "Invalid value: []string{\"10.96.7.8\"}: no"), ("x", "Invalid value: \"x\": no"),
            (5, "Invalid value: 5: no"), ([:], "Invalid value: {}: no"),
        ] as [(JSON, String)])
    func printsValues(value: JSON, wanted: String) {
        #expect(FieldError(.invalid, "spec.clusterIPs", value: value, detail: "no").message == wanted)
    }

    @Test func keepsSelectorsAsTheyAre() throws {
        let kind = try Sample.kind("apps/v1", "Deployment")
        var old = Object(Sample.deployment(["name": "c", "image": "nginx"]))
        kind.applyDefaults(&old)
        var new = old
        new.spec["selector"] = ["matchLabels": ["app": "other"]]
        #expect(
            kind.validateUpdate(new, old: old).map { "\($0.path): \($0.message)" } == [
                "spec.template.metadata.labels: Invalid value: map[string]string{\"app\":\"web\"}: "
                    + "`selector` does not match template `labels`",
                "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"app\":\"other\"}, "
                    + "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable",
            ])
    }

    /// Changes of a pod's spec, each with the start of what is wrong with it; nil where it may be made.
    @Test(
        arguments: [
            (["containers": [["name": "c", "image": "nginx:2", "imagePullPolicy": "Always"]]], nil),
            (
                ["containers": [["name": "c", "image": "nginx", "command": ["true"]]]],
                "spec: Forbidden: pod updates may not change fields"
            ),
            (["nodeName": "node-2"], "spec: Forbidden: pod updates may not change fields"),
            (
                ["ephemeralContainers": [["name": "e", "image": "i"]]],
                "spec: Forbidden: pod updates may not change fields"
            ),
            (["ephemeralContainers": []], "spec: Forbidden: pod updates may not change fields"),
            (["schedulingGates": []], nil),
            (
                ["schedulingGates": [["name": "a.b/c"], ["name": "a.b/d"]]],
                "spec.schedulingGates[1]: Forbidden: only deletion is allowed, but found new scheduling gate 'a.b/d'"
            ),
            (["nodeSelector": ["a": "b", "c": "d"]], nil),
            (["nodeSelector": [:]], "spec.nodeSelector: Invalid value: map[string]string{}: only additions"),
            (
                ["tolerations": [["key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 9]]],
                nil
            ),
            (["tolerations": []], "spec.tolerations: Forbidden: existing toleration can not be modified except"),
            (["activeDeadlineSeconds": 9], nil),
            (["activeDeadlineSeconds": 11], "spec.activeDeadlineSeconds: Invalid value: 11: must be less than"),
        ] as [(JSON, String?)])
    func letsLittleOfPodsChange(changes: JSON, fault: String?) throws {
        let kind = try Sample.kind("v1", "Pod")
        var old = Self.pod {
            $0["schedulingGates"] = [["name": "a.b/c"]]
            $0["nodeSelector"] = ["a": "b"]
            $0["tolerations"] = [["key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5]]
            $0["activeDeadlineSeconds"] = 10
            $0["ephemeralContainers"] = [["name": "d", "image": "i"]]
        }
        kind.applyDefaults(&old)
        var new = old
        for (field, value) in changes.object ?? [:] { new.spec[field] = value }
        kind.applyDefaults(&new)
        let faults = kind.validateUpdate(new, old: old).map { "\($0.path): \($0.message)" }
        #expect(faults.count == (fault == nil ? 0 : 1))
        #expect(faults.first?.hasPrefix(fault ?? "") != false)
    }

    @Test func newPodsHaveNoEphemeralContainers() throws {
        let faults = try Self.faults(Self.pod { $0["ephemeralContainers"] = [["name": "d", "image": "i"]] })
        #expect(faults == ["spec.ephemeralContainers: Forbidden: cannot be set on create"])
    }
}
