import KubernetesModel
import Linux
import Testing

@testable import NodeAgent

@Suite struct LogTests {
    let log = (1...5).map { "2026-01-01T00:00:0\($0).000000000Z stdout F line \($0)\n" }.joined()

    func read(_ text: String, tail: Int? = nil, _ filter: LogFilter) throws -> String {
        var filter = filter
        var output: [UInt8] = []
        try withFolder { folder in
            try replaceFile("\(folder)/0.log", Array(text.utf8))
            let file = LogFile(path: "\(folder)/0.log")
            try file.begin(tail: tail)
            while true {
                let lines = file.next()
                if lines.isEmpty { break }
                for line in lines { filter.append(line, to: &output) }
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    @Test(arguments: [(nil, 5), (2, 2), (0, 0), (9, 5), (5, 5)] as [(Int?, Int)])
    func theTailIsCountedFromTheEnd(tail: Int?, count: Int) throws {
        let text = try read(log, tail: tail, LogFilter(since: nil, timestamps: false, limitBytes: nil))
        #expect(text == (1...5).suffix(count).map { "line \($0)\n" }.joined())
    }

    @Test func timesAndBytesLimit() throws {
        let since = Timestamp("2026-01-01T00:00:04Z")
        #expect(try read(log, LogFilter(since: since, timestamps: false, limitBytes: nil)) == "line 4\nline 5\n")
        #expect(try read(log, LogFilter(since: nil, timestamps: false, limitBytes: 9)) == "line 1\nli")
        #expect(
            try read(log, tail: 1, LogFilter(since: nil, timestamps: true, limitBytes: nil))
                == "2026-01-01T00:00:05.000000000Z line 5\n")
    }

    @Test func partsOfALineAreJoined() throws {
        let text = "2026-01-01T00:00:01.000000000Z stdout P one \n2026-01-01T00:00:01.000000000Z stdout F two\n"
        #expect(try read(text, LogFilter(since: nil, timestamps: false, limitBytes: nil)) == "one two\n")
    }

    @Test func aRotatedFileIsFollowed() throws {
        try withFolder { folder in
            let path = "\(folder)/0.log"
            func line(_ text: String) -> [UInt8] { Array("2026-01-01T00:00:01.000000000Z stdout F \(text)\n".utf8) }
            try replaceFile(path, line("old"))
            let file = LogFile(path: path)
            try file.begin(tail: nil)
            #expect(file.next().count == 1)
            #expect(file.next().isEmpty)
            // A new file takes its place, as a rotation does.
            try replaceFile(path, line("new"))
            #expect(
                file.next().map { String(decoding: $0, as: UTF8.self) } == [
                    "2026-01-01T00:00:01.000000000Z stdout F new"
                ])
        }
    }
}
