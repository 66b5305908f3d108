import ClusterLayout
import Foundation
import KubernetesModel
import Logging

@testable import Supervisor

/// Directories of a cluster of a test's own, in which nothing runs.
final class TestCluster: Sendable {
    let paths: ClusterPaths
    private let directory: String

    init() throws {
        directory = NSTemporaryDirectory() + "martlet-supervisor-" + UUID().uuidString
        paths = ClusterPaths(profile: "test", stateParent: directory + "/s", runtimeParent: directory + "/r")
        for path in [paths.logs, paths.runtime] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
    func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }
    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
    func names(_ path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}
