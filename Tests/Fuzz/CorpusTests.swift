import Foundation
import Testing

/// The corpora as `make fuzz` begins with them: what each target was found to fail on stays mended.
@Suite struct CorpusTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent()
    /// Of one input, in this process's own time. Debug builds take some ten times as long as others.
    private static let limit = Duration.seconds(5)

    private static func names(_ directory: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { !$0.hasPrefix(".") }.sorted()
    }

    @Test(arguments: FuzzTarget.all) func runsItsCorpus(_ target: FuzzTarget) throws {
        let corpus = Self.directory.appending(path: "Corpus/\(target.name)")
        let names = try Self.names(corpus)
        #expect(!names.isEmpty, "a target begins with some inputs")
        for name in names {
            let input = try Data(contentsOf: corpus.appending(path: name))
            let began = Self.time
            do { try target.run(Array(input)) } catch { Issue.record("\(target)/\(name): \(error)") }
            #expect(Self.time - began < Self.limit, "\(target)/\(name)")
        }
    }

    /// A corpus whose target is gone, or is called otherwise, would be run by nobody.
    @Test func eachCorpusHasATarget() throws {
        let c = try Self.names(Self.directory.appending(path: "C")).filter { $0.hasSuffix(".c") }
        let corpora = try Self.names(Self.directory.appending(path: "Corpus"))
        for name in corpora where !FuzzTarget.all.contains(where: { $0.name == name }) {
            #expect(c.contains("\(name).c"), "\(name)")
        }
        #expect(Set(FuzzTarget.all.map(\.name)).count == FuzzTarget.all.count)
    }

    private static var time: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
