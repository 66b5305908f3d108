import Glibc
import KubernetesModel
import Linux
import PodRuntime
import Testing

@testable import NodeAgent

@Suite struct SeccompLookupTests {
    private let directory = "/tmp/martlet-seccomp-\(getpid())-\(UInt32.random(in: 0 ... .max))"

    @Test(
        arguments: [
            ([:], [:], .runtimeDefault(required: false)),
            (["seccompProfile": ["type": "Unconfined"]], [:], .unconfined),
            (
                ["seccompProfile": ["type": "Unconfined"]], ["seccompProfile": ["type": "RuntimeDefault"]],
                .runtimeDefault(required: true)
            ),
        ] as [(JSON, JSON, Seccomp)])
    func theContainersProfileIsBeforeThePods(pod: JSON, container: JSON, wanted: Seccomp) throws {
        #expect(try SeccompLookup(directory: "/nowhere").resolve(pod: pod, container: container) == wanted)
    }

    @Test func aProfileIsReadFromTheNodesDirectory() throws {
        try makeDirectory("\(directory)/seccomp/profiles")
        defer { try? removeTree(directory) }
        try replaceFile("\(directory)/seccomp/profiles/audit.json", Array(#"{"defaultAction": "SCMP_ACT_LOG"}"#.utf8))
        try replaceFile("\(directory)/outside.json", Array("{}".utf8))
        #expect(symlink("../../outside.json", "\(directory)/seccomp/profiles/link.json") == 0)
        let lookup = SeccompLookup(directory: "\(directory)/seccomp")
        func resolve(_ name: String) throws -> Seccomp {
            try lookup.resolve(
                pod: ["seccompProfile": ["type": "Localhost", "localhostProfile": .string(name)]], container: [:])
        }
        #expect(try resolve("profiles/audit.json") == .profile(["defaultAction": "SCMP_ACT_LOG"]))
        for name in ["absent.json", "../outside.json", "profiles/link.json", "profiles", ""] {
            let error = #expect(throws: StartFailure.self) { try resolve(name) }
            #expect("\(String(describing: error))".contains("cannot load seccomp profile"))
        }
    }
}
