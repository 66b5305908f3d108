import Glibc
import KubernetesModel
import Linux
import Testing

@testable import NodeAgent

/// Runs `body` with a new directory, which is removed afterwards.
func withDirectory(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(directory) }
    try body(directory)
}

func withDirectory(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(directory) }
    try await body(directory)
}

@Suite struct VolumeContentTests {
    func content(_ files: [String: String]) -> VolumeContent {
        var content = VolumeContent(defaultMode: 0o640)
        for (path, text) in files { content.add(path, Array(text.utf8), mode: nil) }
        return content
    }

    @Test func anUpdateReplacesAllFilesAtOnce() throws {
        try withDirectory { parent in
            let directory = "\(parent)/volume"
            try content(["a": "1", "dir/b": "2"]).write(to: directory, group: nil)
            #expect(try readFile("\(directory)/a") == "1")
            #expect(try readFile("\(directory)/dir/b") == "2")
            var status = stat()
            #expect(stat("\(directory)/a", &status) == 0 && status.st_mode & 0o777 == 0o640)
            let first = try #require(readLink("\(directory)/..data"))

            try content(["a": "1", "dir/b": "2"]).write(to: directory, group: nil)
            #expect(readLink("\(directory)/..data") == first, "nothing changes where nothing changed")

            try content(["a": "3", "c": "4"]).write(to: directory, group: nil)
            #expect(try readFile("\(directory)/a") == "3")
            #expect(try readFile("\(directory)/c") == "4")
            #expect(
                Set(try listDirectory(directory)).subtracting(["..data", readLink("\(directory)/..data") ?? ""]) == [
                    "a", "c",
                ])
        }
    }

    @Test func itemsChooseAndRename() throws {
        var content = VolumeContent(defaultMode: nil)
        let items: JSON = [["key": "a", "path": "x/y", "mode": 256]]
        try content.add(["a": [1], "b": [2]], items: items, isOptional: false, of: "configmap")
        try withDirectory { directory in
            try content.write(to: directory, group: nil)
            #expect(try readBytes("\(directory)/x/y") == [1])
            #expect(!(try listDirectory(directory)).contains("b"))
        }
        #expect(throws: VolumeError.self) {
            try content.add([:], items: items, isOptional: false, of: "configmap")
        }
    }
}
