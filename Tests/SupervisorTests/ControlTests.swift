import ClusterLayout
import Glibc
import KubernetesModel
import Linux
import TestSupport
import Testing

@testable import Supervisor

@Suite struct ControlTests {
    /// A server that answers with what it was asked, with a pipe where it was asked for one.
    private static func withServer(_ body: (ClusterPaths) async throws -> Void) async throws {
        let cluster = try TestCluster()
        let server = try ControlServer(path: cluster.paths.supervisorSocket) { request in
            if request["fail"].bool == true { return ControlServer.Answer(["error": "it failed"]) }
            let pipe = request["pipe"].bool == true ? try? makePipe() : nil
            try? pipe?.writer.write(Array("through".utf8))
            return ControlServer.Answer(["asked": request], descriptor: pipe?.reader)
        }
        defer { server.close() }
        try await body(cluster.paths)
    }

    @Test func answersOneRequestAfterTheOther() async throws {
        try await Self.withServer { paths in
            let connection = try ControlConnection(paths)
            // Longer than a packet, and than what is read at once.
            for request: JSON in [["n": 1], ["text": .string(String(repeating: "x\n", count: 100_000))], [:]] {
                let result = try await connection.request(request)
                #expect(result.answer == ["asked": request])
                #expect(result.descriptor == nil)
            }
        }
    }

    @Test func sendsDescriptors() async throws {
        try await Self.withServer { paths in
            let result = try await ControlConnection(paths).request(["pipe": true])
            let descriptor = try #require(result.descriptor)
            // The server's own writer is gone, so that the pipe has an end.
            let text = try await Blocking.run { () throws(SystemError) in try descriptor.readToEnd() }
            #expect(text == Array("through".utf8))
        }
    }

    @Test func aFaultIsThrownInTheSupervisorsWords() async throws {
        try await Self.withServer { paths in
            let connection = try ControlConnection(paths)
            let error = await #expect(throws: SupervisorError.self) { try await connection.request(["fail": true]) }
            #expect(error?.description == "it failed")
            #expect(try await connection.request(["n": 2]).answer == ["asked": ["n": 2]], "the connection goes on")
        }
    }

    @Test func serversSeveralConnectionsAtOnce() async throws {
        try await Self.withServer { paths in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let connection = try ControlConnection(paths)
                        for _ in 0..<20 {
                            let answer = try await connection.request(["n": JSON(number)]).answer
                            #expect(answer["asked"]["n"].int == number)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: ["{", "", "not json"]) func refusesWhatIsNoJSON(_ line: String) async throws {
        try await Self.withServer { paths in
            let socket = try UnixSocket.connect(paths.supervisorSocket)
            try socket.send(Array("\(line)\n{\"n\":1}\n".utf8))
            let text = try await Blocking.run { () throws(SystemError) in
                var text: [UInt8] = []
                while text.filter({ $0 == UInt8(ascii: "\n") }).count < 2 { text += try socket.receive().bytes }
                return text
            }
            let answers = text.split(separator: UInt8(ascii: "\n"))
            #expect(try JSON(decoding: answers[0]) == ["error": "the request is no JSON"])
            #expect(try JSON(decoding: answers[1]) == ["asked": ["n": 1]])
        }
    }

    /// Other users' programs do not reach it, and nothing of it is left.
    @Test func theSocketIsItsOwners() throws {
        let cluster = try TestCluster()
        let server = try ControlServer(path: cluster.paths.supervisorSocket) { _ in ControlServer.Answer([:]) }
        var information = stat()
        #expect(stat(cluster.paths.supervisorSocket, &information) == 0 && information.st_mode & 0o777 == 0o600)
        server.close()
        #expect(!cluster.exists(cluster.paths.supervisorSocket))
        let error = #expect(throws: SupervisorError.self) { try ControlConnection(cluster.paths) }
        #expect(error?.description.contains("is not running") == true)
    }
}
