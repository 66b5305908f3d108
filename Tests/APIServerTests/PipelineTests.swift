import APIClient
import HTTPTypes
import Kinds
import KubernetesModel
import NIOCore
import Testing

@testable import APIServer

/// Requests from their decoding to their answer.
@Suite struct PipelineTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    private static func map(_ name: String) -> JSON {
        ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)]]
    }

    /// Only `All` is a dry run; what looks like one is not done for real.
    @Test func anUnknownDryRunDoesNothing() async throws {
        let why = "dryRun: Unsupported value: []string{\"all\"}: supported values: \"All\""
        try await TestServer.run { api in
            #expect(try await api.send(.post, Self.maps, Self.map("c")).code == 201)
            for (method, target, body, kind) in [
                (.delete, "\(Self.maps)/c", ["dryRun": ["all"]], "DeleteOptions"),
                (.delete, "\(Self.maps)/c?dryRun=all", nil, "DeleteOptions"),
                (.delete, Self.maps, ["dryRun": ["all"]], "DeleteOptions"),
                (.post, "\(Self.maps)?dryRun=all", Self.map("d"), "CreateOptions"),
                (.put, "\(Self.maps)/c?dryRun=all", Self.map("c"), "UpdateOptions"),
            ] as [(HTTPRequest.Method, String, JSON?, String)] {
                let status = try await api.refusal(method, target, body)
                #expect(status.message == "\(kind).meta.k8s.io \"\" is invalid: \(why)")
                #expect(status.code == 422 && status.causes.map(\.field) == ["dryRun"])
            }
            for target in ["\(Self.maps)/c", Self.maps] {
                #expect(try await api.send(.delete, target, ["dryRun": ["All"]]).code == 200)
                #expect(try await api.send(.delete, "\(target)?dryRun=All").code == 200)
            }
            let left = try await api.client.list(.configMaps, namespace: "default").items.map(\.name)
            #expect(left.contains("c") && !left.contains("d"))
        }
    }

    /// Clients know a failed `test` operation by this text, and kubectl shows it only beside details.
    @Test func aPatchThatDoesNotApplySaysNoMore() async throws {
        try await TestServer.run { api in
            #expect(try await api.send(.post, Self.maps, Self.map("c")).code == 201)
            let (code, json) = try await api.send(
                .patch, "\(Self.maps)/c", [["op": "test", "path": "/metadata/name", "value": "d"]],
                type: "application/json-patch+json")
            #expect(code == 422)
            #expect(
                json == [
                    "apiVersion": "v1", "kind": "Status", "metadata": [:], "status": "Failure", "reason": "Invalid",
                    "code": 422, "details": [:],
                    "message": "the server rejected our request due to an error in our request",
                ])
        }
    }

    @Test(
        arguments: [
            ("/api/v1/namespaces/default/pods", .list), ("/api/v1/namespaces/default/pods?watch=true", .watch),
            // Whoever names an object gets it, whatever the query says.
            ("/api/v1/namespaces/default/pods/p?watch=true", .get), ("/api/v1/namespaces/n", .get),
            ("/api/v1/watch/pods", .watch), ("/api/v1/watch/namespaces/default/pods/p", .watch),
            ("/api/v1/watch/namespaces/n", .watch), ("/apis/apps/v1/watch/deployments", .watch),
        ] as [(String, Verb)])
    func thePathDecidesTheVerb(target: String, verb: Verb) throws {
        let request = APIRequest(
            method: .get, target: RequestTarget(target), headers: [:], body: .init(), user: .anonymous)
        guard case .resource(let resource) = try Route(request.target, .builtIn) else {
            Issue.record("\(target) leads to no resource")
            return
        }
        #expect(Verb(request, resource) == verb)
        let named = target.contains("/p") && !target.hasSuffix("pods") && !target.contains("pods?")
        #expect(resource.name == (named ? "p" : target.hasSuffix("/n") ? "n" : nil))
    }

    @Test(
        arguments: [
            ("pods", "x", "field label not supported: x"), ("nodes", "metadata.namespace", "field label not supported"),
            ("pods", "metadata.namespace", nil), ("services", "spec.type", nil),
            (
                "configmaps", "data.a",
                "\"data.a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
            ),
            ("persistentvolumes", "metadata.namespace", nil),
        ] as [(String, String, String?)])
    func kindsHaveFieldsToBeSelectedBy(plural: String, field: String, fault: String?) throws {
        let kind = try #require(Catalogue.builtIn.kind(group: "", version: "v1", plural: plural))
        guard let fault else {
            _ = try Selection(labels: nil, fields: "\(field)=y", kind)
            return
        }
        let status = try #require(throws: Status.self) { try Selection(labels: nil, fields: "\(field)=y", kind) }
        #expect(status.code == 400 && status.message.hasPrefix(fault))
    }

    /// Of a field that comes twice the last one counts; whoever cares about fields is told.
    @Test func duplicateFieldsAreTold() async throws {
        let body = ByteBuffer(
            string:
                #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","name":"d"},"data":{"a":"1","a":"2"}}"#)
        let target = "\(Self.maps)?dryRun=All&fieldValidation="
        let names = ["metadata.name", "data.a"].map { "duplicate field \"\($0)\"" }
        try await TestServer.run { api in
            let warned = await api.respond(.post, target + "Warn", body)
            #expect(warned.code == 201)
            #expect(
                warned.headers.filter { $0.name == .warning }.map(\.value)
                    == names.map { "299 - \"\($0.replacing("\"", with: "\\\""))\"" })
            #expect(await api.respond(.post, target + "Ignore", body).headers.isEmpty)
            let refused = try JSON(decoding: await api.respond(.post, target + "Strict", body).text)
            #expect(
                Status(refused)
                    == .badRequest(
                        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: "
                            + names.joined(separator: ", ")))
        }
    }

    /// Clients read headers only so long.
    @Test func warningsAreShortenedBeforeTheyAreLeftOut() {
        func texts(_ lengths: [Int]) -> [Int] {
            var texts = WarningTexts()
            for (index, length) in lengths.enumerated() {
                let text = String(repeating: "é", count: length - 3) + String(index + 100)
                for _ in 0..<2 { texts.add(text) }
            }
            return texts.ordered.map(\.unicodeScalars.count)
        }
        #expect(texts([4000, 96]) == [4000, 96])
        #expect(texts([4000, 97, 300]) == [256, 97, 256])
        #expect(texts(Array(repeating: 5000, count: 50)) == Array(repeating: 256, count: 16))
    }

    @Test func whatIsNoNumberIsRefused() async throws {
        try await TestServer.run { api in
            for target in ["\(Self.maps)?limit=abc", "\(Self.maps)?watch=1&timeoutSeconds=abc"] {
                let status = try await api.refusal(.get, target)
                #expect(status == .badRequest("strconv.ParseInt: parsing \"abc\": invalid syntax"))
            }
        }
    }

    /// Whoever has heard of a revision that is still on its way waits for it, and is told when it does not come.
    @Test func revisionsToComeAreWaitedFor() async throws {
        try await TestServer.run { api in
            let objects = api.server.pipeline.objects
            let next = objects.store.revision + 1
            let status = try await #require(throws: Status.self) {
                try await objects.wait(for: "\(next)", within: .milliseconds(1))
            }
            #expect(status.code == 504 && status.causes.map(\.reason) == ["ResourceVersionTooLarge"])
            async let listed = api.send(.get, "\(Self.maps)?resourceVersion=\(next)")
            async let got = api.send(.get, "/api/v1/namespaces/default?resourceVersion=\(next)")
            try await api.client.create(.configMaps, Object(.configMaps, namespace: "default", name: "c"))
            #expect(try await [listed.code, got.code] == [200, 200])
        }
    }

    @Test(
        arguments: [
            (.get, "endpoints", "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
            (.get, "configmaps", nil),
            (.post, "resourcequotas", "this version of Martlet stores resourcequotas but does not act on them"),
            (.get, "resourcequotas", nil),
        ] as [(HTTPRequest.Method, String, String?)])
    func kindsThatArePastOrIdleWarn(method: HTTPRequest.Method, plural: String, text: String?) async throws {
        try await TestServer.run { api in
            let body: JSON = ["metadata": ["name": "x"]]
            let response = await api.respond(
                method, "/api/v1/namespaces/default/\(plural)", ByteBuffer(bytes: body.encoded()))
            #expect(response.code == (method == .post ? 201 : 200))
            #expect(
                response.headers.filter { $0.name == .warning }.map(\.value) == text.map { ["299 - \"\($0)\""] } ?? [])
        }
    }

    /// A review has no columns: 406, unless another form will do too.
    @Test(arguments: [
        ("application/json;as=Table;v=v1;g=meta.k8s.io", 406),
        ("application/json;as=Table;v=v1;g=meta.k8s.io, application/json", 201), ("application/json", 201),
    ]) func aReviewIsNoTable(accept: String, code: Int) async throws {
        try await TestServer.run { api in
            let review: JSON = ["spec": ["nonResourceAttributes": ["path": "/", "verb": "get"]]]
            let response = await api.respond(
                .post, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", ByteBuffer(bytes: review.encoded()),
                accept: accept)
            #expect(response.code == code)
            let answer = try JSON(decoding: response.text)
            #expect(answer["kind"].string == (code == 406 ? "Status" : "SelfSubjectAccessReview"))
        }
    }

    /// Who waits for what nothing will bring about hears of it: `kubectl rollout status`, `kubectl wait`.
    @Test(arguments: [
        ("statefulsets?watch=1&fieldSelector=metadata.name%3Dx", true), ("statefulsets?watch=1", false),
        ("statefulsets", false), ("deployments?watch=1&fieldSelector=metadata.name%3Dx", false),
    ]) func waitingForNothingWarns(path: String, warns: Bool) async throws {
        try await TestServer.run { api in
            let response = await api.respond(.get, "/apis/apps/v1/namespaces/default/\(path)")
            #expect(response.code == 200)
            let warnings = response.headers.filter { $0.name == .warning }.map(\.value)
            #expect(warnings.contains { $0.contains("does not act on statefulsets.apps") } == warns, "\(warnings)")
        }
    }

    /// `kubectl debug` adds containers; everything else leaves them alone.
    @Test func ephemeralContainersHaveAWayOfTheirOwn() async throws {
        try await TestServer.run { api in
            let pods = "/api/v1/namespaces/default/pods"
            var pod = Object(.pods, namespace: "default", name: "p")
            pod.spec = ["containers": [["name": "c", "image": "i"]]]
            try await api.client.create(.pods, pod)
            let merge = "application/strategic-merge-patch+json"
            func patch(_ container: JSON, _ part: String = "/ephemeralcontainers") async throws -> (Int, JSON) {
                try await api.send(
                    .patch, "\(pods)/p\(part)", ["spec": ["ephemeralContainers": [container]]], type: merge)
            }
            let (code, debugged) = try await patch(["name": "d", "image": "i", "targetContainerName": "c"])
            #expect(code == 200)
            #expect(debugged["metadata"]["generation"] == 2)
            #expect(debugged["spec"]["ephemeralContainers"][0]["terminationMessagePolicy"] == "File")
            for (container, why) in [
                (["name": "d", "image": "other"], "existing ephemeral containers \"d\" may not be changed\n"),
                (["name": "c", "image": "i"], "Duplicate value: \"c\""),
                (["name": "e", "image": "i", "targetContainerName": "d"], "Not found: \"d\""),
                (["name": "E!", "image": "i"], "a lowercase RFC 1123 label must consist"),
                (["name": "e"], "Required value"),
                (["name": "e", "image": "i", "ports": [["containerPort": 1]]], "cannot be set for an Ephemeral"),
            ] as [(JSON, String)] {
                let (code, status) = try await patch(container)
                #expect(code == 422)
                #expect(status["message"].string?.contains(why) == true, "\(status["message"])")
            }
            let (refused, _) = try await patch(["name": "e", "image": "i"], "")
            #expect(refused == 422)
            let removed = try await api.send(
                .patch, "\(pods)/p/ephemeralcontainers", [["op": "remove", "path": "/spec/ephemeralContainers"]],
                type: "application/json-patch+json")
            #expect(removed.json["message"].string?.contains("may not be removed") == true)
            #expect(try await api.client.get(.pods, namespace: "default", name: "p").generation == 2)
        }
    }
}
