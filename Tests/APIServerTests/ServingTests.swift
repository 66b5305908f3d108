import APIClient
import KubernetesModel
import Testing

@testable import APIServer

/// What only the real connection shows.
@Suite struct ServingTests {
    /// An event is sent at once, and an open watch does not hold up the server's end.
    @Test func watchesAreLiveAndEndWithTheServer() async throws {
        let clock = ContinuousClock()
        let ended = try await TestServer.run { kubeconfig, local in
            let client = try HTTPSClient(Kubeconfig(path: kubeconfig))
            let list = try await client.list(.configMaps, namespace: "default")
            var events = client.watch(
                .configMaps, namespace: "default", options: ListOptions(resourceVersion: list.resourceVersion)
            ).makeAsyncIterator()
            var sent = Object(.configMaps, namespace: "default", name: "c")
            sent["data"] = ["a": "b"]
            let created = try await local.create(.configMaps, sent)
            guard case .added(let seen) = try await events.next() else {
                Issue.record("the watch's first event is not the object's creation")
                return clock.now
            }
            #expect(seen == created)
            let moment = clock.now
            // The client goes while its watch is open still.
            await client.shutdown()
            return moment
        }
        #expect(clock.now - ended < .seconds(3))
    }

    @Test func aRevisionThatIsGoneAsksForANewList() async throws {
        try await TestServer.run { kubeconfig, _ in
            let client = try HTTPSClient(Kubeconfig(path: kubeconfig))
            let list = try await client.list(.namespaces)
            let tooNew = String((Int(list.resourceVersion) ?? 0) + 1000)
            await #expect(throws: Status.self) {
                for try await _ in client.watch(
                    .namespaces, namespace: nil, options: ListOptions(resourceVersion: tooNew))
                {}
            }
            await client.shutdown()
        }
    }

    @Test(arguments: [
        ("application/json", "application/json"),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "table"),
        ("application/vnd.kubernetes.protobuf,application/json", "application/json"),
        ("application/yaml", "application/yaml"),
        ("application/json;as=Unknown;v=v1;g=meta.k8s.io, */*", "application/json"),
    ])
    func theFirstFormThatCanBeHadIsChosen(_ accept: String, _ wanted: String) throws {
        let encoding = try Encoding(accept: accept)
        if case .table = encoding.form {
            #expect(wanted == "table")
        } else {
            #expect(encoding.format.contentType == wanted)
        }
    }

    @Test func whatNobodyCanReadIsNotAcceptable() {
        #expect(throws: Status.self) { try Encoding(accept: "application/vnd.kubernetes.protobuf") }
    }
}
