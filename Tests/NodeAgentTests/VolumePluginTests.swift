import ClusterLayout
import Glibc
import InMemoryClient
import KubernetesModel
import Linux
import Testing

@testable import NodeAgent

@Suite struct VolumePluginTests {
    /// A volume and what comes of it.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let source: JSON
        /// The names in the volume, and their texts.
        var files: [String: String] = [:]
        /// The reason why it cannot be set up; `HOST` stands for the pod's directory.
        var failure: String?
        /// Its place in the pod's directory; nil for one elsewhere.
        var place: String?
        /// Its place is in the node's memory.
        var isInMemory = false
        var isGenerated = false
        var isMadeOnMount = false
        /// The limit of what it takes of the disk; nil where that does not count.
        var storage: Quantity??
    }

    static let cases = [
        Case(
            testDescription: "emptyDir", source: ["emptyDir": [:]], place: "kubernetes.io~empty-dir/v",
            storage: .some(nil)),
        Case(
            testDescription: "emptyDir with a limit", source: ["emptyDir": ["sizeLimit": "1Mi"]],
            place: "kubernetes.io~empty-dir/v", storage: Quantity("1Mi")),
        Case(
            testDescription: "hostPath", source: ["hostPath": ["path": "/nowhere/at/all"]], isMadeOnMount: true),
        Case(
            testDescription: "hostPath of a type", source: ["hostPath": ["path": "/etc", "type": "Directory"]]),
        Case(
            testDescription: "hostPath of another type", source: ["hostPath": ["path": "/etc", "type": "File"]],
            failure: "hostPath type check failed: /etc is not a file"),
        Case(
            testDescription: "configMap", source: ["configMap": ["name": "known"]],
            files: ["key": "value", "binary": "secret"], place: "kubernetes.io~configmap/v", isGenerated: true),
        Case(
            testDescription: "configMap that is not there", source: ["configMap": ["name": "gone"]],
            failure: "configmap \"gone\" not found", place: "kubernetes.io~configmap/v", isGenerated: true),
        Case(
            testDescription: "optional configMap that is not there",
            source: ["configMap": ["name": "gone", "optional": true]], place: "kubernetes.io~configmap/v",
            isGenerated: true),
        Case(
            testDescription: "secret", source: ["secret": ["secretName": "known"]], files: ["key": "secret"],
            place: "kubernetes.io~secret/v", isInMemory: true, isGenerated: true),
        Case(
            testDescription: "secret without the key that is asked for",
            source: ["secret": ["secretName": "known", "items": [["key": "other", "path": "x"]]]],
            failure: "secret references non-existent config key: other", place: "kubernetes.io~secret/v",
            isInMemory: true, isGenerated: true),
        Case(
            testDescription: "downwardAPI",
            source: [
                "downwardAPI": [
                    "items": [
                        ["path": "name", "fieldRef": ["fieldPath": "metadata.name"]],
                        ["path": "cpu", "resourceFieldRef": ["containerName": "a", "resource": "limits.cpu"]],
                    ]
                ]
            ], files: ["name": "web", "cpu": "2"], place: "kubernetes.io~downward-api/v", isInMemory: true,
            isGenerated: true),
        Case(
            testDescription: "projected",
            source: [
                "projected": [
                    "sources": [
                        ["configMap": ["name": "known", "items": [["key": "key", "path": "map/key"]]]],
                        ["secret": ["name": "known"]],
                        ["downwardAPI": ["items": [["path": "uid", "fieldRef": ["fieldPath": "metadata.uid"]]]]],
                    ]
                ]
            ], files: ["map/key": "value", "key": "secret", "uid": "uid-web"], place: "kubernetes.io~projected/v",
            isInMemory: true, isGenerated: true),
        Case(
            testDescription: "a type that no plug-in handles", source: ["csi": ["driver": "x"]],
            failure: "volumes of type csi are not supported by this node"),
    ]

    private static func host(_ pod: Object) -> VolumeHost {
        VolumeHost(
            downward: DownwardAPI(pod: pod, address: nil, hostAddress: "172.30.0.2", allocatable: [:]),
            lookup: { type, name in
                guard name == "known" else { return nil }
                var object = Object(type, namespace: "default", name: name)
                object["data"] = type == .secrets ? ["key": "c2VjcmV0"] : ["key": "value"]
                if type == .configMaps { object["binaryData"] = ["binary": "c2VjcmV0"] }
                return object
            }, tokens: TokenSource(InMemoryClient()))
    }

    private static func volumes(_ volume: JSON, in directory: String) -> PodVolumes {
        let pod = makePod(spec: [
            "containers": [["name": "a", "resources": ["limits": ["cpu": "1500m"]]]], "volumes": [volume],
        ])
        let configuration = NodeAgentConfiguration(
            nodeName: "node-1", index: 1, shape: NodeShape(), clusterName: "test", stateDirectory: directory,
            runDirectory: directory, kubeconfig: "", imageDirectory: "", initPath: "")
        return PodVolumes(
            paths: PodPaths(configuration, namespace: "default", name: "web", uid: "uid-web"), host: host(pod))
    }

    @Test(arguments: cases) func aVolumeIsSetUpByItsPlugin(_ example: Case) async throws {
        try await withDirectory { directory in
            var json = example.source
            json["name"] = "v"
            let volumes = Self.volumes(json, in: directory)
            if let failure = example.failure {
                let error = await #expect(throws: VolumeError.self) { try await volumes.setUp() }
                #expect(error?.description == "MountVolume.SetUp failed for volume \"v\" : \(failure)")
                if VolumePlugins.find(json) == nil { return }
            } else {
                #expect(try await volumes.setUp() == nil)
                // A second time changes nothing.
                #expect(try await volumes.setUp() == nil)
            }
            let (plugin, volume) = try #require(VolumePlugins.find(json))
            let mountable = try #require(volumes.mountable["v"])
            let directory = example.isInMemory ? volumes.paths.memory : volumes.paths.directory
            if let place = example.place { #expect(mountable.path == "\(directory)/volumes/\(place)") }
            #expect(mountable.isGenerated == example.isGenerated)
            #expect(mountable.isMadeOnMount == example.isMadeOnMount)
            #expect(plugin.localStorage(volume).map(\.limit) == example.storage)
            for (path, text) in example.files { #expect(try readFile("\(mountable.path)/\(path)") == text) }
        }
    }

    @Test(.enabled(if: getuid() == 0, "needs root")) func aMemoryVolumeIsMountedAndTornDown() async throws {
        try await withDirectory { directory in
            let json: JSON = ["name": "v", "emptyDir": ["medium": "Memory", "sizeLimit": "1Mi"]]
            let volumes = Self.volumes(json, in: directory)
            let (plugin, volume) = try #require(VolumePlugins.find(json))
            #expect(plugin.localStorage(volume) == nil)
            _ = try await volumes.setUp()
            let path = try #require(volumes.mountable["v"]?.path)
            #expect(isMountPoint(path))
            VolumePlugins.tearDown(podDirectory: volumes.paths.directory)
            #expect(!isMountPoint(path))
        }
    }

    @Test func aPodOfAnEarlierVersionKeepsItsVolumesOnDisk() async throws {
        try await withDirectory { directory in
            let volumes = Self.volumes(["name": "v", "secret": ["secretName": "known"]], in: directory)
            let path = "\(volumes.paths.directory)/volumes/kubernetes.io~secret/v"
            try makeDirectory(path)
            try #require(symlink("..earlier", path + "/..data") == 0)
            _ = try await volumes.setUp()
            #expect(volumes.mountable["v"]?.path == path)
            #expect(try readFile("\(path)/key") == "secret")
        }
    }

    /// Whose a service account token is, with which mode, as the kubelet decides it.
    @Test(
        .enabled(if: getuid() == 0, "needs root"),
        arguments: [
            ([:], [[:]], 0, 0, 0o644), (["runAsUser": 7], [[:]], 7, 0, 0o600),
            (["fsGroup": 8], [[:]], 0, 8, 0o640), (["runAsUser": 7, "fsGroup": 8], [[:]], 7, 8, 0o640),
            ([:], [["runAsUser": 7], ["runAsUser": 7]], 7, 0, 0o600),
            ([:], [["runAsUser": 7], ["runAsUser": 9]], 0, 0, 0o644), ([:], [["runAsUser": 7], [:]], 0, 0, 0o644),
        ] as [(JSON, [JSON], uid_t, gid_t, mode_t)])
    func aTokenIsForThosePrograms(
        context: JSON, containers: [JSON], user: uid_t, group: gid_t, mode: mode_t
    ) throws {
        try withDirectory { directory in
            let pod = makePod(spec: [
                "securityContext": context,
                "containers": .array(containers.map { ["name": "c", "securityContext": $0] }),
            ])
            let host = Self.host(pod)
            var content = VolumeContent(defaultMode: nil)
            content.addToken("token", [1], host: host)
            try content.write(to: directory + "/v", group: host.group)
            var status = stat()
            try #require(stat(directory + "/v/token", &status) == 0)
            #expect(status.st_uid == user && status.st_gid == group)
            #expect(status.st_mode & 0o777 == mode)
        }
    }

    @Test(.enabled(if: getuid() == 0, "needs root")) func secretsAreInMemory() throws {
        try withDirectory { directory in
            let node = NodePaths(name: "n", state: directory, runtime: directory)
            for _ in 0..<2 { try NodeMemory(node).mount() }
            defer { unmountAll(at: node.memory) }
            var status = stat()
            try #require(stat(node.memory, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o700)
            let mounts = try readFile("/proc/self/mountinfo").split(separator: "\n")
            let own = mounts.filter { $0.contains(" \(node.memory) ") }
            #expect(own.count == 1 && own[0].contains(" - tmpfs "), "one, also for the next agent: \(own)")
        }
    }

    @Test func namesAreOnesOwn() {
        #expect(Set(VolumePlugins.all.map(\.name)).count == VolumePlugins.all.count)
        let directories = VolumePlugins.all.compactMap(\.directory)
        #expect(Set(directories).count == directories.count)
    }

    @Test(arguments: [
        ("Directory", true), ("File", false), ("DirectoryOrCreate", true), ("Socket", false), ("", true),
        ("Odd", false),
    ])
    func hostPathsAreChecked(type: String, fits: Bool) throws {
        try withDirectory { directory in
            if fits {
                try checkHostPath(directory, type: type)
            } else {
                #expect(throws: VolumeError.self) { try checkHostPath(directory, type: type) }
            }
        }
    }
}
