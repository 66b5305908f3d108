import Glibc
import ImageStore
import KubernetesModel
import Linux
import Testing

@testable import NodeAgent

@Suite struct ExpansionTests {
    @Test(arguments: [
        ("$(A)-$(B)", "1-2"), ("$$(A)", "$(A)"), ("$(UNKNOWN)", "$(UNKNOWN)"), ("cost $5", "cost $5"), ("$(A", "$(A"),
        ("end$", "end$"), ("$$$(A)", "$1"),
    ])
    func referencesAreReplaced(text: String, wanted: String) {
        #expect(expand(text) { ["A": "1", "B": "2"][$0] } == wanted)
    }
}

@Suite struct EnvironmentTests {
    let pod: Object = {
        var pod = makePod(spec: ["containers": [["name": "a", "resources": ["limits": ["cpu": "1500m"]]]]])
        pod.metadata["labels"] = ["app": "web"]
        return pod
    }()
    var downward: DownwardAPI {
        DownwardAPI(
            pod: pod, address: "10.244.1.2", hostAddress: "172.30.0.2",
            allocatable: ["memory": Quantity("1Gi") ?? .zero])
    }
    let lookup: ReferenceLookup = { type, name in
        guard name == "known" else { return nil }
        var object = Object(type, namespace: "default", name: name)
        object["data"] = type == .secrets ? ["key": "c2VjcmV0"] : ["key": "value"]
        return object
    }

    @Test(
        arguments: [
            (["value": "x"], "x"), (["value": "$(FIRST)!"], "1!"), (["value": "$(LATER)"], "$(LATER)"),
            (["valueFrom": ["configMapKeyRef": ["name": "known", "key": "key"]]], "value"),
            (["valueFrom": ["secretKeyRef": ["name": "known", "key": "key"]]], "secret"),
            (["valueFrom": ["secretKeyRef": ["name": "gone", "key": "key", "optional": true]]], nil),
            (["valueFrom": ["fieldRef": ["fieldPath": "status.podIP"]]], "10.244.1.2"),
            (["valueFrom": ["fieldRef": ["fieldPath": "metadata.labels['app']"]]], "web"),
            (["valueFrom": ["resourceFieldRef": ["resource": "limits.cpu"]]], "2"),
            (["valueFrom": ["resourceFieldRef": ["resource": "limits.memory", "divisor": "1Mi"]]], "1024"),
        ] as [(JSON, String?)])
    func aVariableComesFromItsSource(source: JSON, wanted: String?) async throws {
        var variable = source
        variable["name"] = "V"
        let container = Container([
            "name": "a", "env": [["name": "FIRST", "value": "1"], variable, ["name": "LATER", "value": "2"]],
        ])
        let (all, _) = try await Environment.make(
            container: container, image: ["PATH=/bin"], services: [], downward: downward, lookup: lookup)
        #expect(all["V"] == wanted)
        #expect(all["PATH"] == "/bin")
    }

    @Test(
        arguments: [
            (["configMapKeyRef": ["name": "gone", "key": "key"]], "configmap \"gone\" not found"),
            (["secretKeyRef": ["name": "known", "key": "no"]], "couldn't find key no in Secret default/known"),
        ] as [(JSON, String)])
    func whatIsMissingIsNamed(source: JSON, message: String) async {
        let container = Container(["name": "a", "env": [["name": "V", "valueFrom": source]]])
        await #expect(throws: StartFailure.configuration(reason: "CreateContainerConfigError", message: message)) {
            _ = try await Environment.make(
                container: container, image: [], services: [], downward: downward, lookup: lookup)
        }
    }

    @Test func servicesAreAnnounced() {
        func service(_ namespace: String, _ name: String, _ address: String) -> Object {
            var object = Object(.services, namespace: namespace, name: name)
            object.spec = ["clusterIP": .string(address), "ports": [["name": "http", "port": 80]]]
            return object
        }
        let services = [
            service("default", "kubernetes", "10.96.0.1"), service("shop", "my-db", "10.96.0.9"),
            service("other", "x", "10.96.0.8"), service("shop", "headless", "None"),
        ]
        let variables = Dictionary(
            uniqueKeysWithValues: serviceVariables(services, namespace: "shop", links: true).map { ($0.name, $0.value) }
        )
        #expect(variables["KUBERNETES_SERVICE_HOST"] == "10.96.0.1")
        #expect(variables["MY_DB_SERVICE_PORT_HTTP"] == "80")
        #expect(variables["MY_DB_PORT_80_TCP"] == "tcp://10.96.0.9:80")
        #expect(variables["X_SERVICE_HOST"] == nil)
        #expect(variables["HEADLESS_SERVICE_HOST"] == nil)
        let few = serviceVariables(services, namespace: "shop", links: false)
        #expect(few.allSatisfy { $0.name.hasPrefix("KUBERNETES_") })
    }
}

@Suite struct PodFilesTests {
    func files(_ spec: JSON) -> PodFiles {
        PodFiles(
            pod: makePod(spec: spec), nodeName: "node-1", address: "10.244.1.2", dnsAddress: "10.96.0.10",
            clusterDomain: "cluster.local")
    }

    @Test(
        arguments: [
            (
                [:],
                "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n"
            ),
            (["dnsPolicy": "Default"], "search example.org\nnameserver 192.0.2.1\n"),
            (["hostNetwork": true], "search example.org\nnameserver 192.0.2.1\n"),
            (
                [
                    "dnsPolicy": "None",
                    "dnsConfig": [
                        "nameservers": ["9.9.9.9"], "searches": ["a.b"], "options": [["name": "ndots", "value": "2"]],
                    ],
                ], "search a.b\nnameserver 9.9.9.9\noptions ndots:2\n"
            ),
        ] as [(JSON, String)])
    func theResolverFollowsThePolicy(spec: JSON, wanted: String) {
        #expect(files(spec).resolver(host: "nameserver 192.0.2.1\nsearch example.org\n") == wanted)
    }

    /// A name server at the machine's loopback is the cluster's to ask: the pod's own loopback has none.
    @Test func aResolverOfTheMachinesLoopbackIsAskedByWayOfTheClusters() {
        let host = "nameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver ::1\nnameserver 169.254.169.253\n"
        #expect(files(["dnsPolicy": "Default"]).resolver(host: host) == "nameserver 10.96.0.10\nnameserver 192.0.2.1\n")
    }

    @Test func hostsNameThePodAndItsAliases() {
        let text = files([
            "hostname": "db-0", "subdomain": "db", "hostAliases": [["ip": "1.2.3.4", "hostnames": ["one", "two"]]],
        ]).hosts(host: "9.9.9.9 machine\n")
        #expect(text.contains("10.244.1.2\tdb-0.db.default.svc.cluster.local\tdb-0\n"))
        #expect(text.hasSuffix("1.2.3.4\tone\ttwo\n"))
        #expect(!text.contains("machine"))
    }

    @Test func aPodOnTheHostsNetworkHasItsHosts() {
        let text = files(["hostNetwork": true, "hostAliases": [["ip": "1.2.3.4", "hostnames": ["one"]]]])
            .hosts(host: "9.9.9.9 machine\n")
        #expect(
            text == "# Kubernetes-managed hosts file (host network).\n9.9.9.9 machine\n"
                + "\n# Entries added by HostAliases.\n1.2.3.4\tone\n")
    }

    @Test(
        arguments: [
            ([:], "web"), (["hostname": "h"], "h"), (["hostname": "h", "subdomain": "s"], "h"),
            (["hostname": "h", "subdomain": "s", "setHostnameAsFQDN": true], "h.s.default.svc.cluster.local"),
            (["setHostnameAsFQDN": true], "web"), (["hostNetwork": true], "node-1"),
        ] as [(JSON, String)])
    func theHostnameFollowsTheSpecification(spec: JSON, name: String) {
        let pod = makePod(spec: spec)
        #expect(systemHostname(of: pod, nodeName: "node-1", clusterDomain: "cluster.local") == name)
    }
}

@Suite struct UserLookupTests {
    @Test func usersComeFromTheImageUnlessThePodNamesThem() throws {
        try withDirectory { directory in
            try makeDirectory("\(directory)/etc")
            try replaceFile(
                "\(directory)/etc/passwd", Array("root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n".utf8))
            try replaceFile("\(directory)/etc/group", Array("extra:x:99:web\nstaff:x:50:\n".utf8))
            let lookup = UserLookup(layers: [directory])
            func resolve(_ image: String, _ pod: JSON = [:], _ container: JSON = [:]) throws -> ContainerUser {
                try lookup.resolve(image: image, podContext: pod, context: container, describing: "c")
            }
            #expect(try resolve("").home == "/root")
            #expect(try resolve("web") == ContainerUser(user: 33, group: 34, supplementary: [99], home: "/srv"))
            #expect(try resolve("web:staff").group == 50)
            #expect(try resolve("web", ["runAsUser": 7, "fsGroup": 8]) == ContainerUser(user: 7, supplementary: [8]))
            #expect(try resolve("web", ["runAsUser": 7], ["runAsUser": 33]).user == 33)
            #expect(throws: StartFailure.self) { try resolve("nobody-knows") }
            #expect(throws: StartFailure.self) { try resolve("", ["runAsNonRoot": true]) }
            #expect(throws: StartFailure.self, "a name could be root's") { try resolve("web", ["runAsNonRoot": true]) }
            #expect(try resolve("33", ["runAsNonRoot": true]).user == 33)
        }
    }

    @Test(.timeLimit(.minutes(1))) func anImageCannotHaveADeviceRead() throws {
        try withDirectory { directory in
            try makeDirectory("\(directory)/etc")
            try #require(symlink("/dev/zero", "\(directory)/etc/passwd") == 0)
            let failure = #expect(throws: StartFailure.self) {
                try UserLookup(layers: ["/", directory]).resolve(
                    image: "web", podContext: [:], context: [:], describing: "c")
            }
            #expect(
                failure
                    == .configuration(
                        reason: "CreateContainerError", message: "the image's /etc/passwd is no regular file"))
        }
    }

    @Test(.timeLimit(.minutes(1))) func aTerminationMessageIsAFile() throws {
        try withDirectory { directory in
            let path = "\(directory)/message"
            for target in ["/dev/zero", "/etc/passwd"] {
                try #require(symlink(target, path) == 0)
                #expect(readTail(path, limit: 4096) == nil)
                unlink(path)
            }
            try #require(mkfifo(path, 0o600) == 0)
            #expect(readTail(path, limit: 4096) == nil)
            unlink(path)
            try replaceFile(path, Array("abc".utf8))
            try #require(truncate(path, 1 << 40) == 0)
            #expect(readTail(path, limit: 4096)?.count == 4096)
        }
    }
}
