import KubernetesModel
import Testing

@testable import APIServer

struct WatchPartsTests {
    /// 256 bytes are reckoned for a bookmark.
    private func bookmarks(_ count: Int) -> [WatchNotice] {
        (0..<count).map { .bookmark(revision: Int64($0), initialEventsEnd: false) }
    }

    /// What a watch keeps for a client that does not read is one part.
    @Test(arguments: [
        (0, 1000, []), (1, 1000, [1]), (3, 1000, [3]), (4, 1000, [3, 1]), (10, 1024, [4, 4, 2]),
        // What is longer than a part goes alone.
        (3, 10, [1, 1, 1]),
    ])
    func noticesAreSentInPartsOfSoManyBytes(count: Int, maxBytes: Int, parts: [Int]) {
        let found = WatchEncoder.parts(of: bookmarks(count), maxBytes: maxBytes)
        #expect(found.map(\.count) == parts)
        let revisions = found.joined().map { notice -> Int64 in
            guard case .bookmark(let revision, _) = notice else { return -1 }
            return revision
        }
        #expect(revisions == (0..<count).map(Int64.init))
    }
}
