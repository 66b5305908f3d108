import Foundation
import KubernetesModel
import Testing

@testable import Supervisor

@Suite struct UserKubeconfigTests {
    private static func cluster(_ name: String, _ server: String = "https://127.0.0.1:1") -> JSON {
        KubeconfigEntry(name: name, server: server, authority: "A", clientCertificate: "B", clientKey: "C").document
    }

    /// A directory with files of these texts, in the order of KUBECONFIG; nil: the file is not there.
    private final class Home {
        let directory = NSTemporaryDirectory() + "martlet-kubeconfig-" + UUID().uuidString
        let paths: [String]

        init(_ texts: String?...) throws {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            paths = texts.indices.map { [directory] in "\(directory)/\($0)" }
            for (path, text) in zip(paths, texts) {
                try text?.write(toFile: path, atomically: false, encoding: .utf8)
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }

        var config: UserKubeconfig { UserKubeconfig(paths: paths) }

        func text(_ index: Int = 0) throws -> String { try String(contentsOfFile: paths[index], encoding: .utf8) }
        func content(_ index: Int = 0) throws -> JSON { try JSON(yaml: try text(index)) }
        /// The names of all that is in the directory.
        func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() }
    }

    /// Starting and deleting a cluster leaves the lines of others as they were; only empty sections may be added.
    @Test(arguments: KubeconfigShapes.some)
    func keepsOthersByteForByte(_ why: String, _ text: String) throws {
        let home = try Home(text)
        let before = try home.content()
        try home.config.merge(Self.cluster("martlet"))
        try home.config.merge(Self.cluster("martlet", "https://127.0.0.1:2"))
        let merged = try home.content()
        #expect(merged["current-context"] == "martlet")
        #expect(merged["clusters"].items.last?["cluster"]["server"] == "https://127.0.0.1:2")
        #expect(merged["clusters"].items.count == before["clusters"].items.count + 1)
        try home.config.remove("martlet")
        let after = try home.text()
        // Each line of before, in its order, but for the keys of the lists that were empty.
        var rest = after.utf8.split(separator: UInt8(ascii: "\n")).map { String($0) ?? "" }[...]
        let emptied = ["clusters:", "contexts:", "users:"]
        for line in text.utf8.split(separator: UInt8(ascii: "\n")).map({ String($0) ?? "" })
        where !emptied.contains(where: line.hasPrefix) {
            let place = try #require(rest.firstIndex(of: line), "\(line) is gone from \(after)")
            rest = rest[(place + 1)...]
        }
        var plain = try home.content()
        // A list that was absent or null may be an empty one now, and the fields that every kubeconfig has may be there.
        for list in emptied.map({ String($0.dropLast()) }) where plain[list] == [] { plain[list] = before[list] }
        for key in ["apiVersion", "kind", "current-context"] where before[key].isNull { plain[key] = .null }
        var wanted = before.isNull ? [:] : before
        for list in ["clusters", "contexts", "users"] where wanted[list].isNull { wanted[list] = .null }
        #expect(plain == wanted)
        #expect(try home.names() == ["0"])
    }

    @Test(arguments: KubeconfigShapes.whole)
    func givesBackTheWholeText(_ why: String, _ text: String) throws {
        let home = try Home(text)
        let before = try home.content()
        for server in ["https://127.0.0.1:1", "https://127.0.0.1:2"] {
            try home.config.merge(Self.cluster("martlet", server))
            let merged = try home.content()
            #expect(merged["current-context"] == "martlet")
            #expect(merged["clusters"].items.last?["cluster"]["server"].string == server)
            for list in ["clusters", "contexts", "users"] {
                #expect(Array(merged[list].items.dropLast()) == before[list].items)
                #expect(merged[list].items.last?["name"] == "martlet")
            }
        }
        try home.config.remove("martlet")
        #expect(try home.text() == text)
    }

    @Test func keepsTheCommentOfTheCurrentContext() throws {
        let home = try Home(KubeconfigShapes.work)
        try home.config.merge(Self.cluster("martlet"))
        #expect(try home.text().contains("current-context: martlet # the usual one\n"))
    }

    /// Lists and fields that were not there are left empty.
    @Test(arguments: [
        (
            #"{"users": [{"name": "me", "user": {}}]}"#,
            #"{"users": [{"name": "me", "user": {}}], "kind": "Config", "apiVersion": "v1", "clusters": [], "#
                + #""contexts": [], "current-context": ""}"#
        ),
        (
            "{\n    \"apiVersion\": \"v1\",\n    \"clusters\": null\n}\n",
            "{\n    \"apiVersion\": \"v1\",\n    \"clusters\": [],\n    \"kind\": \"Config\",\n    \"contexts\": [],\n"
                + "    \"users\": [],\n    \"current-context\": \"\"\n}\n"
        ),
    ])
    func completesJSON(_ text: String, _ wanted: String) throws {
        let home = try Home(text)
        try home.config.merge(Self.cluster("martlet"))
        try home.config.merge(Self.cluster("martlet", "https://127.0.0.1:2"))
        #expect(try home.content()["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:2")
        try home.config.remove("martlet")
        #expect(try home.text() == wanted)
    }

    /// Deleting a cluster that is not in the file touches no byte, whatever is there.
    @Test(arguments: (KubeconfigShapes.some + KubeconfigShapes.whole).map(\.1) + ["{}", "clusters: &a []\n"])
    func removesNothingOfOthers(_ text: String) throws {
        let home = try Home(text)
        let path = home.paths[0]
        let before = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64
        for name in ["absent", "work", "me", "w"] {
            try home.config.remove(name)
            try home.config.remove(name)
        }
        #expect(try home.text() == text)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64 == before)
    }

    @Test func makesAFile() throws {
        let home = try Home(nil)
        try home.config.remove("martlet")
        #expect(try home.names() == [])
        try home.config.merge(Self.cluster("martlet"))
        #expect(try home.content()["contexts"][0]["context"]["cluster"] == "martlet")
        let mode = try FileManager.default.attributesOfItem(atPath: home.paths[0])[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func leavesAContextThatTheUserChose() throws {
        let home = try Home(KubeconfigShapes.work)
        try home.config.merge(Self.cluster("a"))
        try home.config.merge(Self.cluster("b"))
        try home.config.remove("a")
        #expect(try home.content()["current-context"] == "b")
        // The one before it is gone, so that none is left.
        try home.config.remove("b")
        #expect(try home.content()["current-context"] == "")
        #expect(try home.content()["contexts"].items.map { $0["name"].string } == ["work"])
    }

    /// What cannot be changed in place is refused, and stays as it is.
    static let refused: [(String, String, String)] = [
        ("an anchor", "clusters: &all\n- name: work\n  cluster: {}\nold: *all\n", "in place"),
        ("an anchor of a flow list", "clusters: &all [{name: work, cluster: {}}]\nold: *all\n", "in place"),
        ("an anchor in a flow list", "clusters: [{name: work, cluster: &a {}}, {name: b, cluster: *a}]\n", "in place"),
        ("an anchor in a flow mapping", "{old: &all [], clusters: *all}\n", "in place"),
        ("a tag", "clusters: !!seq [{name: work, cluster: {}}]\n", "in place"),
        ("a marked key", "{? clusters : []}\n", "in place"),
        ("no YAML", "clusters: [\n", "no YAML"),
        ("a list", "- a\n", "no mapping"),
        ("a sentence", "hello\n", "no mapping"),
        ("another's cluster of our name", "clusters:\n- name: martlet\n  cluster: {}\n", "not Martlet's"),
        ("another's user of our name", "users:\n- name: martlet\n  user: {token: t}\n", "not Martlet's"),
    ]

    @Test(arguments: refused)
    func refuses(_ why: String, _ text: String, _ message: String) throws {
        let home = try Home(text)
        for attempt in [{ try $0.merge(Self.cluster("martlet")) }, { try $0.checkMerge("martlet") }]
            as [(UserKubeconfig) throws -> Void]
        {
            let error = try #require(throws: SupervisorError.self) { try attempt(home.config) }
            #expect(error.description.contains(message) && error.description.contains(home.paths[0]), "\(error)")
            #expect(try home.text() == text)
            #expect(try home.names() == ["0"])
        }
    }

    @Test func refusesBytesThatAreNoText() throws {
        let home = try Home("")
        let bytes = Data([0x61, 0x3a, 0x20, 0xff, 0x0a])
        try bytes.write(to: URL(fileURLWithPath: home.paths[0]))
        #expect(throws: SupervisorError.self) { try home.config.merge(Self.cluster("martlet")) }
        #expect(throws: SupervisorError.self) { try home.config.remove("martlet") }
        #expect(try Data(contentsOf: URL(fileURLWithPath: home.paths[0])) == bytes)
    }

    /// Also for root, who could write it.
    @Test func refusesAReadOnlyFile() throws {
        let home = try Home(KubeconfigShapes.work)
        try home.config.merge(Self.cluster("martlet"))
        let before = try home.text()
        try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: home.paths[0])
        for attempt in [
            { try $0.merge(Self.cluster("b")) }, { try $0.checkMerge("b") }, { try $0.remove("martlet") },
        ] as [(UserKubeconfig) throws -> Void] {
            let error = try #require(throws: SupervisorError.self) { try attempt(home.config) }
            #expect(error.description.contains("read-only"))
        }
        // Nothing of ours to remove: nothing to write.
        try home.config.remove("absent")
        #expect(try home.text() == before)
        #expect(try home.names() == ["0"])
    }

    @Test(arguments: [true, false]) func writesThroughASymbolicLink(_ exists: Bool) throws {
        let home = try Home(nil)
        let target = home.directory + "/target"
        if exists { try KubeconfigShapes.work.write(toFile: target, atomically: false, encoding: .utf8) }
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o640], ofItemAtPath: exists ? target : home.directory)
        try FileManager.default.createSymbolicLink(atPath: home.paths[0], withDestinationPath: "target")
        try home.config.merge(Self.cluster("martlet"))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: home.paths[0]) == "target")
        #expect(try JSON(yaml: String(contentsOfFile: target, encoding: .utf8))["current-context"] == "martlet")
        if exists {
            #expect(try FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? Int == 0o640)
            try home.config.remove("martlet")
            #expect(try home.text() == KubeconfigShapes.work)
        }
    }

    /// New entries go where kubectl puts them; those that are there are changed where they are.
    @Test func changesOneOfSeveralFiles() throws {
        let home = try Home(nil, "users:\n- name: x\n  user: {}\n", KubeconfigShapes.work)
        let others = try home.text(1)
        try home.config.merge(Self.cluster("martlet"))
        #expect(try home.names() == ["1", "2"])
        #expect(try home.text(2) == KubeconfigShapes.work)
        #expect(try home.content(1)["current-context"] == "martlet")
        // The user moves it into the last file.
        try home.text(1).write(toFile: home.paths[2], atomically: false, encoding: .utf8)
        try others.write(toFile: home.paths[1], atomically: false, encoding: .utf8)
        try home.config.merge(Self.cluster("martlet", "https://127.0.0.1:2"))
        #expect(try home.content(1)["clusters"].isNull)
        #expect(try home.content(2)["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:2")
        try home.config.remove("martlet")
        #expect(try home.content(1)["users"].items.count == 1)
        #expect(try home.content(2)["clusters"].items.isEmpty)
    }

    @Test func writesTheLastFileWhereNoneExists() throws {
        let home = try Home(nil, nil)
        try home.config.merge(Self.cluster("martlet"))
        #expect(try home.names() == ["1"])
    }

    /// Who takes the lock first wins; the other waits, and gives up by name.
    @Test func waitsForTheLock() throws {
        let home = try Home(KubeconfigShapes.work)
        let lock = home.paths[0] + ".lock"
        #expect(FileManager.default.createFile(atPath: lock, contents: nil))
        let error = try #require(throws: SupervisorError.self) { try home.config.merge(Self.cluster("martlet")) }
        #expect(error.description.contains(lock))
        #expect(try home.text() == KubeconfigShapes.work)
        #expect(try home.names() == ["0", "0.lock"])
    }

    /// The process that had it is dead, so that it is nobody's: this program's at once, kubectl's when it is old.
    @Test(arguments: [("martlet 4194304\n", 0.0), ("", -120)])
    func takesOverAStaleLock(_ text: String, _ age: TimeInterval) throws {
        let home = try Home(KubeconfigShapes.work)
        let lock = home.paths[0] + ".lock"
        try text.write(toFile: lock, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: text.isEmpty ? 0 : 0o600, .modificationDate: Date(timeIntervalSinceNow: age)],
            ofItemAtPath: lock)
        try home.config.merge(Self.cluster("martlet"))
        #expect(try home.content()["current-context"] == "martlet")
        #expect(try home.names() == ["0"])
    }

    /// kubectl's way: whoever finds the file there gives up.
    @Test func aLockIsThereForKubectlToo() throws {
        let home = try Home(KubeconfigShapes.work)
        let lock = try KubeconfigLock(home.paths[0] + ".lock")
        #expect(try home.names() == ["0", "0.lock"])
        let error = try #require(throws: SupervisorError.self) { try home.config.merge(Self.cluster("martlet")) }
        #expect(error.description.contains("File exists"), "also against another of this program's")
        lock.release()
        try home.config.merge(Self.cluster("martlet"))
        #expect(try home.names() == ["0"])
    }

    /// A copy with credentials that a killed process has left goes with the next change.
    @Test func removesAnEarlierCopy() throws {
        let home = try Home(KubeconfigShapes.work)
        try "secret".write(toFile: home.paths[0] + ".martlet-new", atomically: false, encoding: .utf8)
        try home.config.merge(Self.cluster("martlet"))
        #expect(try home.names() == ["0"])
    }
}
