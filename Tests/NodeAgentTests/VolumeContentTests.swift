import Glibc
import KubernetesModel
import Linux
import Testing

@testable import NodeAgent

/// Runs `body` with a new folder, which is removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(folder) }
    try body(folder)
}

func withFolder(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer { try? removeTree(folder) }
    try await body(folder)
}

@Suite struct VolumeContentTests {
    func content(_ files: [String: String]) -> VolumeContent {
        var content = VolumeContent(defaultMode: 0o640)
        for (path, text) in files { content.add(path, Array(text.utf8), mode: nil) }
        return content
    }

    @Test func anUpdateReplacesAllFilesAtOnce() throws {
        try withFolder { parent in
            let folder = "\(parent)/volume"
            try content(["a": "1", "dir/b": "2"]).write(to: folder, group: nil)
            #expect(try readFile("\(folder)/a") == "1")
            #expect(try readFile("\(folder)/dir/b") == "2")
            var status = stat()
            #expect(stat("\(folder)/a", &status) == 0 && status.st_mode & 0o777 == 0o640)
            let first = try #require(readLink("\(folder)/..data"))

            try content(["a": "1", "dir/b": "2"]).write(to: folder, group: nil)
            #expect(readLink("\(folder)/..data") == first, "nothing changes where nothing changed")

            try content(["a": "3", "c": "4"]).write(to: folder, group: nil)
            #expect(try readFile("\(folder)/a") == "3")
            #expect(try readFile("\(folder)/c") == "4")
            #expect(
                Set(try listFolder(folder)).subtracting(["..data", readLink("\(folder)/..data") ?? ""]) == ["a", "c"])
        }
    }

    @Test func itemsChooseAndRename() throws {
        var content = VolumeContent(defaultMode: nil)
        let items: JSON = [["key": "a", "path": "x/y", "mode": 256]]
        try content.add(["a": [1], "b": [2]], items: items, isOptional: false, of: "configmap")
        try withFolder { folder in
            try content.write(to: folder, group: nil)
            #expect(try readBytes("\(folder)/x/y") == [1])
            #expect(!(try listFolder(folder)).contains("b"))
        }
        #expect(throws: VolumeError.self) {
            try content.add([:], items: items, isOptional: false, of: "configmap")
        }
    }
}
