import APIClient
import HTTPTypes
import KubernetesModel
import NIOCore
import Synchronization
import Testing

@testable import APIServer

/// Which requests plug-ins see, with which attributes, and what their refusal does.
@Suite struct AdmissionTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"
    private static let pods = "/api/v1/namespaces/default/pods"

    private static func map(_ name: String) -> JSON {
        ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)]]
    }

    private static func pod() -> Object {
        var pod = Object(.pods, namespace: "default", name: "p")
        pod.spec = ["containers": [["name": "c", "image": "i"]]]
        return pod
    }

    @Test func pluginsRunInUpstreamsOrder() async throws {
        // https://github.com/kubernetes/kubernetes/blob/v1.33.0/pkg/kubeapiserver/options/plugins.go
        let upstream = [
            "NamespaceLifecycle", "LimitRanger", "ServiceAccount", "TaintNodesByCondition", "PodSecurity", "Priority",
            "DefaultTolerationSeconds", "DefaultStorageClass", "StorageObjectInUseProtection",
            "PersistentVolumeClaimResize", "RuntimeClass", "CertificateApproval", "CertificateSigning",
            "CertificateSubjectRestriction", "DefaultIngressClass", "MutatingAdmissionPolicy",
            "MutatingAdmissionWebhook", "ValidatingAdmissionPolicy", "ValidatingAdmissionWebhook", "ResourceQuota",
        ]
        try await TestServer.run { api in
            let (store, range) = (api.server.pipeline.objects.store, api.server.configuration.loadBalancers)
            // Upstream clouds give the addresses.
            let plugins = AdmissionPlugins.all(store, loadBalancers: range).filter { $0.name != "LoadBalancerAddress" }
            let places = try plugins.map { plugin in
                try #require(upstream.firstIndex(of: plugin.name), "\(plugin.name) is none of upstream's")
            }
            #expect(places == places.sorted() && Set(places).count == places.count)
        }
    }

    @Test func everyWriteIsSeenMutatingBeforeValidating() async throws {
        let spy = SpyPlugin("Spy", of: "configmaps")
        try await TestServer.run(plugins: [spy]) { api in
            spy.forget()
            for (method, target, body, calls) in [
                (.post, Self.maps, Self.map("c"), ["CREATE configmaps default/c new"]),
                (.put, "\(Self.maps)/c", Self.map("c"), ["UPDATE configmaps default/c new old"]),
                (.patch, "\(Self.maps)/c", ["data": ["a": "b"]], ["UPDATE configmaps default/c new old"]),
                (.get, "\(Self.maps)/c", nil, []), (.get, Self.maps, nil, []),
                (.post, "\(Self.maps)?dryRun=All", Self.map("d"), ["CREATE configmaps default/d new dry"]),
                (.delete, "\(Self.maps)/c?dryRun=All", nil, ["DELETE configmaps default/c old dry"]),
                (.delete, "\(Self.maps)/c", ["dryRun": ["All"]], ["DELETE configmaps default/c old dry"]),
                (.delete, "\(Self.maps)/c", nil, ["DELETE configmaps default/c old"]),
            ] as [(HTTPRequest.Method, String, JSON?, [String])] {
                let type = method == .patch ? "application/merge-patch+json" : "application/json"
                let code = try await api.send(method, target, body, type: type).code
                #expect(code < 300, "\(method) \(target)")
                #expect(spy.take() == calls.flatMap { ["mutate \($0)", "validate \($0)"] }, "\(method) \(target)")
            }
        }
    }

    @Test func aCollectionsDeletionIsSeenObjectByObject() async throws {
        let spy = SpyPlugin("Spy", of: "configmaps")
        try await TestServer.run(plugins: [spy]) { api in
            for name in ["a", "b"] {
                try await api.client.create(.configMaps, Object(.configMaps, namespace: "default", name: name))
            }
            spy.forget()
            #expect(try await api.send(.delete, "\(Self.maps)?fieldSelector=metadata.name!=b").code == 200)
            let calls = spy.take().filter { call in call.hasSuffix("default/a old") }
            #expect(calls.count == 2)
            #expect(try await api.client.get(.configMaps, namespace: "default", name: "b").name == "b")
        }
    }

    /// Over HTTP and in process, subresources are seen in their own kinds.
    @Test(arguments: [false, true])
    func subresourcesAreSeenAsWhatTheyAre(inProcess: Bool) async throws {
        let spy = SpyPlugin("Spy", of: "pods", "deployments")
        try await TestServer.run(plugins: [spy]) { api in
            try await api.client.create(.pods, Self.pod())
            var deployment = Object(.deployments, namespace: "default", name: "d")
            deployment.spec = [
                "replicas": 1, "selector": ["matchLabels": ["a": "b"]],
                "template": ["metadata": ["labels": ["a": "b"]], "spec": Self.pod().spec],
            ]
            try await api.client.create(.deployments, deployment)
            spy.forget()
            let scale: JSON = ["spec": ["replicas": 2]]
            let binding: JSON = ["kind": "Binding", "metadata": ["name": "p"], "target": ["name": "n"]]
            let eviction: JSON = ["kind": "Eviction", "metadata": ["name": "p"]]
            if inProcess {
                let client = api.client
                try await client.patch(
                    .deployments, namespace: "default", name: "d", subresource: "scale", .merge(scale))
                try await client.create(
                    .pods, Object(binding), namespace: "default", subresource: SubresourcePath(of: "p", "binding"))
                try await client.patch(
                    .pods, namespace: "default", name: "p", subresource: "status", .merge(["status": ["reason": "x"]]))
                try await client.create(
                    .pods, Object(eviction), namespace: "default", subresource: SubresourcePath(of: "p", "eviction"))
            } else {
                let merge = "application/merge-patch+json"
                let deployments = "/apis/apps/v1/namespaces/default/deployments"
                #expect(try await api.send(.patch, "\(deployments)/d/scale", scale, type: merge).code == 200)
                #expect(try await api.send(.post, "\(Self.pods)/p/binding", binding).code == 201)
                let status: JSON = ["status": ["reason": "x"]]
                #expect(try await api.send(.patch, "\(Self.pods)/p/status", status, type: merge).code == 200)
                #expect(try await api.send(.post, "\(Self.pods)/p/eviction", eviction).code == 201)
            }
            #expect(
                spy.take().filter { $0.hasPrefix("mutate") } == [
                    "mutate UPDATE deployments/scale default/d new old", "mutate CREATE pods/binding default/p new",
                    "mutate UPDATE pods/status default/p new old", "mutate CREATE pods/eviction default/p new",
                ])
            let kinds = spy.kinds.withLock { $0 }
            #expect(kinds == ["Scale", "Binding", "Pod", "Eviction"])
        }
    }

    @Test(arguments: [("exec?command=a&command=b&stdin=true", "PodExecOptions"), ("attach", "PodAttachOptions")])
    func connectingIsSeenWithItsOptions(target: String, kind: String) async throws {
        let spy = SpyPlugin("Spy", of: "pods")
        try await TestServer.run(plugins: [spy]) { api in
            try await api.client.create(.pods, Self.pod())
            let subresource = String(target.prefix { $0 != "?" })
            spy.forget()
            #expect(try await api.refusal(.post, "\(Self.pods)/p/\(target)").message == "Upgrade request required")
            let calls = ["mutate", "validate"].map { "\($0) CONNECT pods/\(subresource) default/p new" }
            #expect(spy.take() == calls)
            #expect(spy.kinds.withLock { $0 } == [kind])
            let request = APIRequest(
                method: .post, target: RequestTarget("\(Self.pods)/p/\(target)"), headers: [:], body: ByteBuffer(),
                user: User(name: "kubernetes-admin", groups: ["system:authenticated"]))
            _ = try? await api.server.pipeline.upgrade(request, to: "SPDY/3.1")
            #expect(spy.take() == calls, "an upgrade")
            let options = try #require(spy.objects.withLock { $0.last })
            #expect(options["command"] == (subresource == "exec" ? ["a", "b"] : .null))
            #expect(options["stdin"] == (subresource == "exec" ? true : .null))
            // Reading a log is no connection.
            _ = await api.respond(.get, "\(Self.pods)/p/log")
            #expect(spy.take().isEmpty)
            spy.refuse("CONNECT")
            #expect(try await api.refusal(.post, "\(Self.pods)/p/\(target)").code == 403)
            await #expect(throws: Status.self) { try await api.server.pipeline.upgrade(request, to: "SPDY/3.1") }
        }
    }

    @Test(arguments: ["mutate", "validate"])
    func aRefusalIsTheAnswerAndLeavesNothing(phase: String) async throws {
        let spy = SpyPlugin("Spy", of: "services", phase: phase)
        try await TestServer.run(plugins: [spy]) { api in
            let services = "/api/v1/namespaces/default/services"
            func service(_ name: String, _ port: Int = 80) -> JSON {
                [
                    "metadata": ["name": .string(name)],
                    "spec": ["type": "NodePort", "ports": [["port": JSON(port), "nodePort": 30123]]],
                ]
            }
            spy.refuse("CREATE")
            let status = try await api.refusal(.post, services, service("a"))
            #expect(status.code == 403 && status.message == "services \"a\" is forbidden: Spy")
            #expect(try await api.send(.get, "\(services)/a").code == 404)
            spy.refuse("UPDATE")
            // What the refused one had allocated is free again.
            #expect(try await api.send(.post, services, service("b")).code == 201)
            let before = try await api.client.get(.services, namespace: "default", name: "b")
            #expect(try await api.send(.put, "\(services)/b", service("b", 81)).code == 403)
            spy.refuse("DELETE")
            #expect(try await api.send(.delete, "\(services)/b").code == 403)
            #expect(try await api.client.get(.services, namespace: "default", name: "b") == before)
        }
    }

    /// Each sees what those before it have changed; validating ones see the object with its defaults.
    @Test func changesAddUp() async throws {
        let first = MarkingPlugin(name: "first")
        let second = MarkingPlugin(name: "second")
        try await TestServer.run(plugins: [first, second]) { api in
            let created = try await api.send(.post, Self.maps, Self.map("c")).json
            #expect(created["metadata"]["annotations"]["marks"] == "first second")
            let updated = try await api.send(.put, "\(Self.maps)/c", Self.map("c")).json
            #expect(updated["metadata"]["annotations"]["marks"] == "first second")
        }
    }
}

/// Records what it sees of some resources.
private final class SpyPlugin: MutatingAdmissionPlugin, ValidatingAdmissionPlugin {
    let name: String
    let resources: Set<String>
    /// The phase that refuses.
    let phase: String
    private let calls = Mutex<[String]>([])
    private let refused = Mutex<String?>(nil)
    /// The kinds of the objects that the mutating phase saw.
    let kinds = Mutex<[String]>([])
    let objects = Mutex<[Object]>([])

    init(_ name: String, of resources: String..., phase: String = "mutate") {
        self.name = name
        self.resources = Set(resources)
        self.phase = phase
    }

    func handles(_ operation: AdmissionOperation, _ type: ResourceType, subresource: String?) -> Bool {
        resources.contains(type.plural)
    }

    func admit(_ attributes: inout AdmissionAttributes) throws(Status) {
        kinds.withLock { $0.append(attributes.object.kind) }
        objects.withLock { $0.append(attributes.object) }
        try record("mutate", attributes)
    }

    func validate(_ attributes: AdmissionAttributes) throws(Status) { try record("validate", attributes) }

    private func record(_ phase: String, _ attributes: AdmissionAttributes) throws(Status) {
        let operation = attributes.operation
        var words = [
            phase, operation.rawValue,
            [attributes.type.plural, attributes.subresource].compactMap { $0 }.joined(separator: "/"),
            "\(attributes.namespace ?? "")/\(attributes.name)",
        ]
        if operation != .delete { words.append("new") }
        if attributes.oldObject != nil { words.append("old") }
        if attributes.dryRun { words.append("dry") }
        calls.withLock { $0.append(words.joined(separator: " ")) }
        if refused.withLock({ $0 }) == operation.rawValue, phase == self.phase {
            throw .forbidden(attributes.type, attributes.name, name)
        }
    }

    func refuse(_ operation: String) { refused.withLock { $0 = operation } }

    func take() -> [String] {
        calls.withLock { calls in
            defer { calls = [] }
            return calls
        }
    }

    func forget() {
        _ = take()
        kinds.withLock { $0 = [] }
    }
}

/// Adds its name to an annotation.
private struct MarkingPlugin: MutatingAdmissionPlugin {
    let name: String

    func handles(_ operation: AdmissionOperation, _ type: ResourceType, subresource: String?) -> Bool {
        type == .configMaps
    }

    func admit(_ attributes: inout AdmissionAttributes) {
        let marks = attributes.object.annotations["marks"].map { "\($0) " } ?? ""
        attributes.object.metadata["annotations"]["marks"] = .string(marks + name)
    }
}
