import Foundation
import Testing

@testable import Supervisor

@Suite struct EgressProgramTests {
    private static func directory(_ names: [String]) throws -> String {
        let directory = NSTemporaryDirectory() + "martlet-egress-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for name in names {
            _ = FileManager.default.createFile(
                atPath: "\(directory)/\(name)", contents: nil, attributes: [.posixPermissions: 0o755])
        }
        return directory
    }

    @Test func theBestThatIsInstalledIsTaken() throws {
        let both = try Self.directory(["one", "two"])
        let second = try Self.directory(["two"])
        defer { for directory in [both, second] { try? FileManager.default.removeItem(atPath: directory) } }
        #expect(EgressProgram.find(["one", "two"], path: "\(second):\(both)")?.path == "\(both)/one")
        #expect(EgressProgram.find(["one", "two"], path: second)?.name == "two")
        #expect(EgressProgram.find(["one"], path: second) == nil)
    }

    /// The host's own loopback is closed by each program itself, besides the cluster's rules.
    @Test(arguments: [("slirp4netns", "--disable-host-loopback"), ("pasta", "--no-map-gw")])
    func theHostIsClosedUnlessItIsAskedFor(_ name: String, _ option: String) {
        let program = EgressProgram(name: name, path: "/usr/bin/\(name)")
        #expect(program.arguments(.internet).contains(option))
        #expect(!program.arguments(.host).contains(option))
        #expect(program.arguments(.host).contains("/proc/self/fd/0"), "the namespace is its standard input")
    }

    /// It forwards ports between the loopbacks of both sides unless it is told not to.
    @Test func pastaForwardsNothing() {
        let arguments = EgressProgram(name: "pasta", path: "/usr/bin/pasta").arguments(.host)
        for option in ["--tcp-ports", "--udp-ports", "--tcp-ns", "--udp-ns"] {
            let value = arguments.firstIndex(of: option).map { arguments[$0 + 1] }
            #expect(value == "none", "\(option)")
        }
    }
}
