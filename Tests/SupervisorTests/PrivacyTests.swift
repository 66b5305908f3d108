import ClusterLayout
import Glibc
import Testing

@testable import Supervisor

@Suite struct ClusterPrivacyTests {
    let cluster: TestCluster
    var paths: ClusterPaths { cluster.paths }

    init() throws { cluster = try TestCluster() }

    private func mode(_ path: String) throws -> mode_t {
        var status = stat()
        try #require(stat(path, &status) == 0, "\(path)")
        return status.st_mode & 0o777
    }

    @Test func whatAnEarlierVersionLeftOpenIsClosed() throws {
        for directory in [paths.state, paths.runtime, paths.logs, paths.images, paths.pki.directory] {
            try Files.makeDirectory(directory)
            chmod(directory, 0o755)
        }
        let files = [
            paths.store, paths.store + "-wal", paths.configuration, paths.log("supervisor"), paths.pki.authorityKey,
        ]
        for file in files {
            try cluster.write("secret", to: file)
            chmod(file, 0o644)
        }
        try paths.closeToOthers()
        for directory in [paths.state, paths.runtime, paths.logs, paths.images, paths.pki.directory] {
            #expect(try mode(directory) == 0o700, "\(directory)")
        }
        for file in files { #expect(try mode(file) == 0o600, "\(file)") }
    }

    @Test(.enabled(if: getuid() == 0, "needs root")) func whatAnotherUserHasPutThereIsRefused() throws {
        chown(paths.runtime, 65534, 65534)
        for use in [{ try paths.closeToOthers() }, { try Files.checkOwner(ofDirectory: paths.runtime) }] {
            let error = #expect(throws: SupervisorError.self) { try use() }
            #expect(error?.description.contains("belongs to another user") == true, "\(String(describing: error))")
        }
        chown(paths.runtime, 0, 0)
    }
}
