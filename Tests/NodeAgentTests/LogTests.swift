import Glibc
import KubernetesModel
import Linux
import Testing

@testable import NodeAgent

@Suite struct LogTests {
    let log = (1...5).map { "2026-01-01T00:00:0\($0).000000000Z stdout F line \($0)\n" }.joined()

    func read(_ text: String, tail: Int? = nil, _ filter: LogFilter) throws -> String {
        var filter = filter
        var output: [UInt8] = []
        try withDirectory { directory in
            try replaceFile("\(directory)/0.log", Array(text.utf8))
            let file = LogFile(path: "\(directory)/0.log")
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

    @Test func aLineThatComesInPartsHasOneTime() throws {
        let text = "2026-01-01T00:00:01.000000000Z stdout P one \n2026-01-01T00:00:02.000000000Z stdout F two\n" + log
        let shown = try read(text, LogFilter(since: nil, timestamps: true, limitBytes: nil))
        #expect(shown.hasPrefix("2026-01-01T00:00:01.000000000Z one two\n2026-01-01T00:00:01.000000000Z line 1\n"))
    }

    /// A log in a directory, written and rotated as the pod's init does it.
    private struct Writer {
        let path: String
        var rotations = 0

        func write(_ text: String) throws {
            let bytes = Array("2026-01-01T00:00:01.000000000Z stdout F \(text)\n".utf8)
            try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o640).write(bytes)
        }

        mutating func rotate() throws {
            rotations += 1
            // As if it had been written in the second before.
            let written = Timestamp("2026-01-01T00:00:00.5Z")?.advanced(by: Double(rotations - 1)).seconds ?? 0
            let time = timespec(tv_sec: written, tv_nsec: 500_000_000)
            try #require(utimensat(AT_FDCWD, path, [time, time], 0) == 0)
            try #require(rename(path, "\(path).20260101-00000\(rotations).000000000") == 0)
        }

        /// Each number in a part of its own.
        mutating func writeParts(_ numbers: ClosedRange<Int>) throws {
            for number in numbers {
                try write("\(number)")
                try rotate()
            }
        }
    }

    private func texts(_ file: LogFile) -> [String] {
        var result: [String] = []
        while case let lines = file.next(), !lines.isEmpty {
            result += lines.map {
                String(decoding: $0, as: UTF8.self).split(separator: " ").last.map(String.init) ?? ""
            }
        }
        return result
    }

    @Test func whatIsWrittenRightBeforeRotationsIsFollowed() throws {
        try withDirectory { directory in
            var log = Writer(path: "\(directory)/0.log")
            try log.write("1")
            let file = LogFile(path: log.path)
            try file.begin(tail: nil)
            #expect(texts(file) == ["1"])
            // Behind the reader's back: more of the part that it has read to the end, two more parts, and a new file.
            try log.write("2")
            try log.rotate()
            #expect(texts(file) == ["2"], "there is no new file yet")
            try log.write("3")
            try log.rotate()
            try log.write("4")
            try log.rotate()
            try log.write("5")
            #expect(texts(file) == ["3", "4", "5"])
            try log.write("6")
            #expect(texts(file) == ["6"])
        }
    }

    @Test func aSlowReaderFindsPartsThatAreCompressedMeanwhile() throws {
        try withDirectory { directory in
            let place = "\(directory)/default_web_uid/main"
            try makeDirectory(place)
            var log = Writer(path: "\(place)/0.log")
            try log.write("1")
            let file = LogFile(path: log.path)
            try file.begin(tail: nil)
            try log.rotate()
            try log.write("2")
            // It has begun with the part that was put away, and so knows its name.
            #expect(file.next().count == 1)
            try log.rotate()
            try log.writeParts(3...4)
            LogArchive(directory: directory).compressAll()
            try log.write("5")
            #expect(texts(file) == ["2", "3", "4", "5"])
        }
    }

    @Test func aSlowReaderFindsItsPlaceThoughItsOwnPartIsCompressed() throws {
        try withDirectory { directory in
            let place = "\(directory)/default_web_uid/main"
            try makeDirectory(place)
            var log = Writer(path: "\(place)/0.log")
            try log.writeParts(1...2)
            try log.write("3")
            let file = LogFile(path: log.path)
            try file.begin(tail: nil)
            #expect(texts(file) == ["3"])
            // It has not looked since: neither the name nor the file that it reads is in the directory any more.
            for number in 4...6 {
                try log.rotate()
                try log.write("\(number)")
            }
            LogArchive(directory: directory).compressAll()
            #expect(texts(file) == ["4", "5", "6"])
        }
    }

    @Test func whatStartsLaterReadsTheLatestPartOnly() throws {
        try withDirectory { directory in
            var log = Writer(path: "\(directory)/0.log")
            try log.write("old")
            try log.rotate()
            try log.write("new")
            let file = LogFile(path: log.path)
            try file.begin(tail: 10)
            #expect(texts(file) == ["new"])
        }
    }

    @Test func allPartsButTheLatestAreCompressed() throws {
        try withDirectory { directory in
            let place = "\(directory)/default_web_uid/main"
            try makeDirectory(place)
            var log = Writer(path: "\(place)/0.log")
            try log.writeParts(1...3)
            try log.write("4")
            try replaceFile("\(place)/0.log.1.gz.tmp", [1])
            LogArchive(directory: directory).compressAll()
            let names = try listDirectory(place).sorted()
            #expect(
                names == [
                    "0.log", "0.log.20260101-000001.000000000.gz", "0.log.20260101-000002.000000000.gz",
                    "0.log.20260101-000003.000000000",
                ])
            let magic = try readBytes("\(place)/\(names[1])").prefix(2)
            #expect(magic == [0x1f, 0x8b])
            removeLogs(log.path)
            #expect(try listDirectory(place).isEmpty)
        }
    }
}
