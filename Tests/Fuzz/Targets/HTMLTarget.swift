@testable import APIServer

extension FuzzTarget {
    /// A page in pieces, whose size is the first byte: it comes out as when it comes whole, and without links that lead
    /// elsewhere it stays as it is.
    static let html = FuzzTarget("html", maxLength: 1024) { input in
        guard let size = input.first.map({ Int($0) + 1 }) else { return }
        let page = Array(input.dropFirst())
        func rewritten(_ prefix: String, by size: Int) -> [UInt8] {
            var html = HTMLLinks(ProxiedLinks(prefix: prefix, address: "10.244.1.2:80", host: nil))
            var output: [UInt8] = []
            for start in stride(from: 0, to: page.count, by: size) {
                output += html.rewrite(page[start..<min(start + size, page.count)])
            }
            return output + html.finish()
        }
        let whole = rewritten("/proxy", by: max(1, page.count))
        try require(rewritten("/proxy", by: size) == whole, "in pieces of \(size) the page is another")
        try require(whole.count >= page.count - 64 || page.count > 64, "\(page.count - whole.count) bytes are lost")
    }
}
