import ClusterLayout
import KubernetesModel
import Linux
import PodRuntime
import Testing

@testable import NodeAgent

@Suite struct StorageLimitsTests {
    /// What is in the pod's places, in kB, and what of it is too much.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var layers: [String: Int] = [:]
        var logs = 0
        var volume = 0
        var medium: String?
        let excess: String?
    }

    static let cases = [
        Case(testDescription: "all is within its limits", layers: ["a": 50, "b": 50], volume: 50, excess: nil),
        Case(
            testDescription: "a volume", volume: 150,
            excess: "Usage of EmptyDir volume \"v\" exceeds the limit \"100k\". "),
        Case(
            testDescription: "everything together", layers: ["a": 90, "b": 90, "c": 60], logs: 30, volume: 90,
            excess: "Pod ephemeral local storage usage exceeds the total limit of containers 300k. "),
        Case(
            testDescription: "a volume in memory counts for nothing", layers: ["a": 90, "b": 90], volume: 200,
            medium: "Memory", excess: nil),
        Case(
            testDescription: "one container", layers: ["a": 150], logs: 30,
            excess: "Container a exceeded its local ephemeral storage limit \"100k\". "),
    ]

    @Test(arguments: cases) func whatIsTooMuchIsTold(_ example: Case) throws {
        try withDirectory { directory in
            let configuration = NodeAgentConfiguration(
                nodeName: "node-1", index: 1, shape: NodeShape(), clusterName: "test", stateDirectory: directory,
                runDirectory: directory, kubeconfig: "", imageDirectory: "", initPath: "")
            var volume: JSON = ["name": "v", "emptyDir": ["sizeLimit": "100k"]]
            if let medium = example.medium { volume["emptyDir"]["medium"] = .string(medium) }
            func container(_ name: String, _ limit: String?) -> JSON {
                var container: JSON = ["name": .string(name), "image": "x"]
                if let limit { container["resources"]["limits"] = ["ephemeral-storage": .string(limit)] }
                return container
            }
            let pod = makePod(spec: [
                "containers": [container("a", "100k"), container("b", "200k"), container("c", nil)],
                "volumes": [volume],
            ])
            let paths = PodPaths(configuration, namespace: "default", name: "web", uid: pod.uid)
            func fill(_ directory: String, _ size: Int) throws {
                try makeDirectory(directory)
                try replaceFile("\(directory)/file", [UInt8](repeating: 1, count: size * 1000))
            }
            for (name, size) in example.layers { try fill("\(paths.container(name))/0/upper", size) }
            try fill("\(paths.logs)/a", example.logs)
            try fill(paths.volume("empty-dir", "v"), example.volume)
            let runs = ["a", "b", "c"].map { ContainerID(podUID: pod.uid, name: $0, restart: 0) }
            #expect(StorageLimits(pod: pod, paths: paths, runs: runs).excess() == example.excess)
        }
    }
}
