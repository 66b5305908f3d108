import Testing

@testable import KubernetesModel

@Suite struct StatusTests {
    static let statuses: [(Status, Int, String, String)] = [
        (.notFound(.pods, "a"), 404, "NotFound", "pods \"a\" not found"),
        (.notFound(.deployments, "a"), 404, "NotFound", "deployments.apps \"a\" not found"),
        (.alreadyExists(.pods, "a"), 409, "AlreadyExists", "pods \"a\" already exists"),
        (
            .conflict(.pods, "a"), 409, "Conflict",
            "Operation cannot be fulfilled on pods \"a\": the object has been modified; please apply your changes to "
                + "the latest version and try again"
        ),
        (.conflict(.pods, "a", "why"), 409, "Conflict", "Operation cannot be fulfilled on pods \"a\": why"),
        (.forbidden(.pods, "a", "why"), 403, "Forbidden", "pods \"a\" is forbidden: why"),
        (.badRequest("why"), 400, "BadRequest", "why"), (.unauthorized(), 401, "Unauthorized", "Unauthorized"),
        (
            .methodNotSupported(.pods, "create"), 405, "MethodNotAllowed",
            "create is not supported on resources of kind \"pods\""
        ),
        (.unsupportedMediaType("why"), 415, "UnsupportedMediaType", "why"), (.expired("why"), 410, "Expired", "why"),
        (.internalError("why"), 500, "InternalError", "Internal error occurred: why"),
        (.serviceUnavailable("why"), 503, "ServiceUnavailable", "why"),
        (.pathNotFound(), 404, "NotFound", "the server could not find the requested resource"),
    ]

    @Test(arguments: statuses)
    func hasTheWordsThatClientsKnow(_ status: Status, _ code: Int, _ reason: String, _ message: String) {
        #expect(status.code == code && status.reason == reason && status.message == message)
        #expect(status.json["status"] == "Failure" && status.json["kind"] == "Status")
        #expect(Status(status.json)?.json == status.json)
        #expect(status.isNotFound == (code == 404) && status.isExpired == (code == 410))
        #expect(status.isConflict == (reason == "Conflict") && status.isAlreadyExists == (reason == "AlreadyExists"))
    }

    @Test func keepsItsDetails() {
        var status = Status.notFound(.deployments, "a")
        status.uid = "u"
        status.retryAfterSeconds = 3
        #expect(
            status.json["details"] == [
                "name": "a", "group": "apps", "kind": "deployments", "uid": "u", "retryAfterSeconds": 3,
            ])
        #expect(Status(status.json) == status)
        #expect(Status(["kind": "Pod"]) == nil)
        #expect(Status(["kind": "Status"])?.code == 500)
    }

    @Test func namesEachFaultOfAnObject() {
        let one = Status.invalid(.deployments, "web", [FieldError(.required, "spec.x", detail: "why")])
        #expect(one.message == #"Deployment.apps "web" is invalid: spec.x: Required value: why"#)
        #expect(one.causes == [.init(reason: "FieldValueRequired", message: "Required value: why", field: "spec.x")])
        let two = Status.invalid(
            .pods, "web", [FieldError(.forbidden, "a"), FieldError(.forbidden, "", detail: "all")])
        #expect(two.message == #"Pod "web" is invalid: [a: Forbidden, Forbidden: all]"#)
        // Clients show the message only where there are details, be they empty.
        #expect(Status.invalid(.pods, "", []).json["details"].object != nil)
    }

    static let faults: [(FieldError, String)] = [
        (FieldError(.required, "a"), "Required value"), (FieldError(.invalid, "a", value: 1), "Invalid value: 1"),
        (FieldError(.invalid, "a", value: "x", detail: "why"), #"Invalid value: "x": why"#),
        (FieldError(.duplicate, "a", value: "x"), #"Duplicate value: "x""#),
        (FieldError(.notFound, "a", value: "x"), #"Not found: "x""#),
        (
            FieldError(.tooLong, "a", value: "x", detail: "may not be more than 3 bytes"),
            "Too long: may not be more than 3 bytes"
        ),
        (
            FieldError(.tooMany, "a", value: 3, detail: "must have at most 2 items"),
            "Too many: 3: must have at most 2 items"
        ),
        (
            .notSupported("a", value: "x", supported: ["b", "c"]),
            #"Unsupported value: "x": supported values: "b", "c""#
        ),
        (FieldError(.invalid, "a", value: ["x", "y"]), #"Invalid value: []string{"x", "y"}"#),
        (FieldError(.invalid, "a", value: ["k": 1]), #"Invalid value: {"k":1}"#),
        (
            FieldError(.invalid, "spec.nodeSelector", value: ["k": "v", "a": "b"]),
            #"Invalid value: map[string]string{"a":"b", "k":"v"}"#
        ),
        (FieldError(.invalid, "metadata.labels", value: .null), "Invalid value: map[string]string(nil)"),
        (FieldError(.invalid, "spec.selector", value: ["k": "v"]), #"Invalid value: map[string]string{"k":"v"}"#),
        (
            FieldError(.invalid, "spec.selector", value: ["matchLabels": ["k": "v"]]),
            #"Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"k":"v"}, "#
                + "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}"
        ),
        (
            FieldError(
                .invalid, "spec.selector",
                value: [
                    "matchExpressions": [
                        ["key": "k", "operator": "In", "values": ["v"]], ["key": "l", "operator": "Exists"],
                    ]
                ]),
            "Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:"
                + #"[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"k", Operator:"In", "#
                + #"Values:[]string{"v"}}, v1.LabelSelectorRequirement{Key:"l", Operator:"Exists", Values:[]string(nil)}}}"#
        ),
    ]

    @Test(arguments: faults) func printsValuesAsKubernetesDoes(_ fault: FieldError, _ message: String) {
        #expect(fault.message == message)
    }
}
