import APIClient
import KubernetesModel
import TestSupport
import Testing

/// `Objects` through the in-process client.
@Suite struct ObjectsTests {
    private static func configMap(_ name: String, _ value: String = "") -> Object {
        var object = Object(.configMaps, namespace: "default", name: name)
        object["data"] = ["a": .string(value)]
        return object
    }

    @Test func aStaleVersionIsAConflict() async throws {
        try await TestServer.run { _, client in
            var stale = try await client.create(.configMaps, Self.configMap("c"))
            var fresh = stale
            fresh["data"]["a"] = "1"
            try await client.update(.configMaps, fresh)
            stale["data"]["a"] = "2"
            await #expect(throws: Status.conflict(.configMaps, "c")) { try await client.update(.configMaps, stale) }
            stale.metadata["resourceVersion"] = .null
            #expect(try await client.update(.configMaps, stale)["data"]["a"] == "2")
        }
    }

    @Test func concurrentPatchesAllCount() async throws {
        try await TestServer.run { _, client in
            try await client.create(.configMaps, Self.configMap("c"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<50 {
                    group.addTask {
                        _ = try await client.patch(
                            .configMaps, namespace: "default", name: "c", subresource: nil,
                            .merge(["data": ["k\(index)": "v"]]))
                    }
                }
                try await group.waitForAll()
            }
            let data = try await client.get(.configMaps, namespace: "default", name: "c")["data"]
            #expect(data.object?.count == 51)
        }
    }

    /// A watcher of a selection sees an object come and go as its labels change.
    @Test func selectionsSeeTransitions() async throws {
        try await TestServer.run { _, client in
            let list = try await client.list(.configMaps, namespace: "default")
            let events = client.watch(
                .configMaps, namespace: "default",
                options: ListOptions(labelSelector: "app=web", resourceVersion: list.resourceVersion))
            try await client.create(.configMaps, Self.configMap("c"))
            func label(_ value: JSON) async throws {
                _ = try await client.patch(
                    .configMaps, namespace: "default", name: "c", subresource: nil,
                    .merge(["metadata": ["labels": ["app": value]]]))
            }
            try await label("web")
            _ = try await client.patch(
                .configMaps, namespace: "default", name: "c", subresource: nil, .merge(["data": ["a": "2"]]))
            try await label("other")
            try await label("web")
            try await client.delete(.configMaps, ObjectKey(namespace: "default", name: "c"))
            var seen: [String] = []
            for try await event in events {
                switch event {
                case .added: seen.append("added")
                case .modified: seen.append("modified")
                case .deleted: seen.append("deleted")
                case .bookmark: continue
                }
                if seen.count == 5 { break }
            }
            #expect(seen == ["added", "modified", "deleted", "added", "deleted"])
        }
    }

    /// The node, not the client, ends a scheduled pod.
    @Test func podsEndGracefully() async throws {
        try await TestServer.run { _, client in
            var pod = Object(.pods, namespace: "default", name: "p")
            pod.spec = ["containers": [["name": "c", "image": "i"]]]
            try await client.create(.pods, pod)
            var binding = Object(.pods, namespace: "default", name: "p")
            binding["kind"] = "Binding"
            binding["target"] = ["kind": "Node", "name": "node-1"]
            try await client.create(
                .pods, binding, namespace: "default", subresource: SubresourcePath(of: "p", "binding"))
            // To be given a node is no change of what is wanted; to be deleted is.
            #expect(try await client.get(.pods, namespace: "default", name: "p").generation == 1)
            try await client.delete(.pods, ObjectKey(namespace: "default", name: "p"))
            let ending = try await client.get(.pods, namespace: "default", name: "p")
            #expect(ending.isBeingDeleted && ending.generation == 2)
            #expect(ending.metadata["deletionGracePeriodSeconds"] == 30)
            #expect(ending.spec["nodeName"] == "node-1")
            try await client.delete(
                .pods, namespace: "default", name: "p", options: DeleteOptions(gracePeriodSeconds: 0))
            await #expect(throws: Status.notFound(.pods, "p")) {
                try await client.get(.pods, namespace: "default", name: "p")
            }
        }
    }

    /// A pod with gates says so from its first moment.
    @Test func gatedPodsSaySo() async throws {
        try await TestServer.run { _, client in
            var pod = Object(.pods, namespace: "default", name: "p")
            pod.spec = ["containers": [["name": "c", "image": "i"]], "schedulingGates": [["name": "a.b/c"]]]
            let created = try await client.create(.pods, pod)
            #expect(created.condition("PodScheduled")?.reason == "SchedulingGated")
        }
    }

    @Test func theServiceOfTheAPIComesBack() async throws {
        try await TestServer.run { _, client in
            let key = ObjectKey(namespace: "default", name: "kubernetes")
            let first = try await client.get(.services, key)
            try await client.delete(.services, key)
            let second = try await eventually("the Service is there again") { try await client.get(.services, key) }
            #expect(second.spec["clusterIP"] == "10.96.0.1")
            #expect(second.uid != first.uid)
        }
    }

    @Test func pagesShowOneMoment() async throws {
        try await TestServer.run { _, client in
            for index in 0..<5 { try await client.create(.configMaps, Self.configMap("c\(index)")) }
            let first = try await client.list(.configMaps, namespace: "default", options: ListOptions(limit: 2))
            try await client.create(.configMaps, Self.configMap("c9"))
            var names = first.items.map(\.name)
            var token = first.continueToken
            while let next = token {
                let page = try await client.list(
                    .configMaps, namespace: "default", options: ListOptions(limit: 2, continueToken: next))
                #expect(page.resourceVersion == first.resourceVersion)
                names += page.items.map(\.name)
                token = page.continueToken
            }
            #expect(names == ["c0", "c1", "c2", "c3", "c4"])
        }
    }

    @Test func servicesGetAndGiveBackTheirAddresses() async throws {
        try await TestServer.run { _, client in
            func service(_ name: String, _ type: String, port: JSON = .null) -> Object {
                var object = Object(.services, namespace: "default", name: name)
                object.spec = ["type": .string(type), "ports": [["port": 80, "nodePort": port]]]
                return object
            }
            let first = try await client.create(.services, service("a", "NodePort", port: 30080))
            #expect(first.spec["clusterIP"].string?.hasPrefix("10.96.") == true)
            await #expect(throws: Status.self) {
                try await client.create(.services, service("b", "NodePort", port: 30080))
            }
            try await client.delete(.services, first.key)
            try await client.create(.services, service("b", "NodePort", port: 30080))
            // A port that keeps its name keeps its node port.
            let moved = try await client.patch(
                .services, namespace: "default", name: "b", subresource: nil,
                .merge(["spec": ["ports": [["port": 81]]]]))
            #expect(moved.spec["ports"][0]["port"] == 81)
            #expect(moved.spec["ports"][0]["nodePort"] == 30080)
            let plain = try await client.patch(
                .services, namespace: "default", name: "b", subresource: nil, .merge(["spec": ["type": "ClusterIP"]]))
            #expect(plain.spec["ports"][0]["nodePort"].isNull)
        }
    }

    /// `stringData` is for writing only, whether an object is created, replaced or patched.
    @Test func secretsKeepTheirTextsAsData() async throws {
        try await TestServer.run { _, client in
            var secret = Object(.secrets, namespace: "default", name: "s")
            secret["stringData"] = ["user": "admin"]
            secret = try await client.create(.secrets, secret)
            #expect(secret["data"] == ["user": "YWRtaW4="] && secret["stringData"].isNull)
            secret["stringData"] = ["user": "bob"]
            secret = try await client.update(.secrets, secret)
            #expect(secret["data"] == ["user": "Ym9i"] && secret["stringData"].isNull)
            secret = try await client.patch(
                .secrets, namespace: "default", name: "s", subresource: nil, .merge(["stringData": ["more": "x"]]))
            #expect(secret["data"] == ["user": "Ym9i", "more": "eA=="] && secret["stringData"].isNull)
        }
    }
}
