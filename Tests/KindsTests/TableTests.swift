import Testing

@testable import APIMachinery
@testable import Kinds
@testable import KubernetesModel

@Suite struct TableTests {
    @Test func everyTableHasACellForEachColumn() {
        for kind in Catalogue.builtIn.kinds {
            let table = kind.table(of: [Object(["metadata": ["name": "x"]])])
            let cells = table["rows"][0]["cells"].items
            #expect(cells.count == table["columnDefinitions"].items.count, "\(kind.type)")
            #expect(cells.contains("x"), "\(kind.type)")
        }
    }

    /// What `kubectl get pods` shows of a pod in some state.
    @Test(arguments: [
        (
            #"{"phase":"Running","containerStatuses":[{"name":"c","ready":true,"restartCount":0,"state":{"running":{}}}]}"#,
            "1/1", "Running", "0"
        ),
        (
            #"{"phase":"Running","containerStatuses":[{"name":"c","restartCount":3,"lastState":{"terminated":{"finishedAt":"2026-01-01T00:01:00Z"}},"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}"#,
            "0/1", "CrashLoopBackOff", "3 (2m30s ago)"
        ),
        (
            #"{"phase":"Succeeded","containerStatuses":[{"name":"c","restartCount":0,"state":{"terminated":{"exitCode":0,"reason":"Completed"}}}]}"#,
            "0/1", "Completed", "0"
        ),
        (
            #"{"phase":"Pending","initContainerStatuses":[{"name":"i","restartCount":0,"state":{"running":{}}}]}"#,
            "0/1", "Init:0/1", "0"
        ),
        (
            #"{"phase":"Pending","initContainerStatuses":[{"name":"i","restartCount":1,"state":{"terminated":{"exitCode":2}}}]}"#,
            "0/1", "Init:ExitCode:2", "1"
        ),
        (#"{"phase":"Failed","reason":"Evicted"}"#, "0/1", "Evicted", "0"),
    ])
    func summarizesPods(status: String, ready: String, text: String, restarts: String) throws {
        let pod = Object([
            "metadata": ["name": "p"],
            "spec": ["containers": [["name": "c"]], "initContainers": [["name": "i"]]],
            "status": try JSON(decoding: status),
        ])
        let now = try #require(Timestamp("2026-01-01T00:03:30Z"))
        let cells = try Sample.kind("v1", "Pod").table(of: [pod], now: now)["rows"][0]["cells"]
        #expect(cells.strings.prefix(4) == ["p", ready, text, restarts])
    }

    @Test(arguments: [
        (0, "0s"), (119, "119s"), (120, "2m"), (200, "3m20s"), (3600, "60m"), (3 * 3600, "3h"), (5 * 3600 + 60, "5h1m"),
        (10 * 3600, "10h"), (2 * 86400, "2d"), (3 * 86400 + 3600, "3d1h"), (30 * 86400, "30d"), (800 * 86400, "2y70d"),
    ])
    func shortensDurations(seconds: Int, wanted: String) {
        #expect(Table.duration(Double(seconds)) == wanted)
    }

    @Test func followsColumnPaths() throws {
        let object: JSON = ["status": ["conditions": [["type": "Ready", "status": "True"]], "list": [1, 2]]]
        func value(_ path: String) -> JSON? { JSONPath(path)?.values(in: object).first }
        #expect(value(".status.conditions[?(@.type==\"Ready\")].status") == "True")
        #expect(value(".status.list[1]") == 2)
        #expect(value("{.status.list[-1]}") == 2)
        #expect(JSONPath(".a[?(@.b)]") == nil)
    }
}
