import HTTPTypes
import KubernetesModel
import Testing

@testable import APIServer

/// What the proxies of pods and Services make of a page's links.
@Suite struct ProxiedLinksTests {
    private static let prefix = "/api/v1/namespaces/default/services/web/proxy"
    private static let links = ProxiedLinks(prefix: prefix, address: "10.244.1.7:80", host: "127.0.0.1:6443")

    @Test(arguments: [
        ("/", "P/"), ("/a?b#c", "P/a?b#c"), ("a/b", "a/b"), ("../a", "../a"), ("", ""), ("#x", "#x"), ("?x", "?x"),
        ("mailto:a@b", "mailto:a@b"), ("P/a", "P/a"), ("P", "P"), ("Px/a", "PPx/a"),
        ("http://10.244.1.7:80/a", "P/a"), ("//10.244.1.7:80/a", "P/a"), ("http://10.244.1.7:80", "P/"),
        ("http://10.244.1.7:80?x=1", "P/?x=1"), ("http://10.244.1.7:81/a", "http://10.244.1.7:81/a"),
        ("https://127.0.0.1:6443/a", "https://127.0.0.1:6443P/a"),
        ("https://127.0.0.1:6443P/a", "https://127.0.0.1:6443P/a"),
        ("http://example.org/a", "http://example.org/a"), ("//example.org/a", "//example.org/a"),
        ("///a", "///a"), ("javascript://x/y", "javascript://x/y"),
    ]) func linksLeadThroughTheProxy(link: String, wanted: String) {
        func expand(_ text: String) -> String { text.replacing("P", with: Self.prefix) }
        #expect(Self.links.rewritten(expand(link)) == expand(wanted))
    }

    static let pages: [(String, String)] =
        ([
            ("<a href=\"/rewriteme\">test</a>", "<a href=\"P/rewriteme\">test</a>"),
            ("<A class=x HREF = '/a' >", "<A class=x HREF = 'P/a' >"), ("<a href=/a>/b</a>", "<a href=P/a>/b</a>"),
            ("<img src=\"/a\"/><img src='b'>", "<img src=\"P/a\"/><img src='b'>"), ("<a data-href=\"/a\">", nil),
            ("<p href=\"/a\">", nil),
            ("<!-- <a href=\"/a\"> --><a href=\"/b\">", "<!-- <a href=\"/a\"> --><a href=\"P/b\">"),
            (
                "<script src='/s'>x = '<a href=\"/a\">'</SCRIPT><a href='/b'>",
                "<script src='P/s'>x = '<a href=\"/a\">'</SCRIPT><a href='P/b'>"
            ),
            ("<a title='>' href='/a'>", "<a title='>' href='P/a'>"), ("a < b <c <1> </a href='/a'> <", nil),
            ("<a href='/a", nil), ("<a", nil), ("<!-", nil),
            ("<!doctype html><html manifest='/m'>", "<!doctype html><html manifest='P/m'>"),
            ("<a href=\"/ü\">", "<a href=\"P/ü\">"),
            ("<input formaction='/a' src=/b value='/c'>", "<input formaction='P/a' src=P/b value='/c'>"),
            ("<a =href='/a' href>", nil), ("<title><a href='/a'></title>", nil),
        ] as [(String, String?)]).map { ($0, $1 ?? $0) }

    /// However a page is cut, each of its links is rewritten, and nothing else changes.
    @Test(arguments: pages, [1, 2, 7, 1000])
    func pagesAreRewrittenAsTheyPass(page: (String, String), size: Int) {
        let bytes = Array(page.0.utf8)
        var html = HTMLLinks(Self.links)
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            output += html.rewrite(bytes[start..<min(start + size, bytes.count)])
        }
        output += html.finish()
        #expect(String(decoding: output, as: UTF8.self) == page.1.replacing("P/", with: Self.prefix + "/"))
    }

    /// A tag without end is not waited for for ever.
    @Test func anEndlessTagPasses() {
        var html = HTMLLinks(Self.links)
        var count = 0
        for _ in 0..<20 {
            count += html.rewrite([UInt8(ascii: "<")] + [UInt8](repeating: UInt8(ascii: "a"), count: 8191)).count
        }
        #expect(count >= 10 * 8192)
        #expect(count + html.finish().count == 20 * 8192)
    }

    @Test(arguments: [("?a=b", HTTPRequest.Method.get), ("", .head)])
    func aPathWithoutASlashIsRedirected(query: String, method: HTTPRequest.Method) async throws {
        try await TestServer.run { (api: TestRequests) async throws -> Void in
            let namespace = "/api/v1/namespaces/default"
            let service: JSON = ["metadata": ["name": "web"], "spec": ["ports": [["port": 80]]]]
            #expect(try await api.send(.post, "\(namespace)/services", service).code == 201)
            let endpoints: JSON = [
                "metadata": ["name": "web"],
                "subsets": [["addresses": [["ip": "10.244.1.7"]], "ports": [["port": 1]]]],
            ]
            #expect(try await api.send(.post, "\(namespace)/endpoints", endpoints).code == 201)
            let response = await api.respond(method, "\(Self.prefix)\(query)")
            #expect(response.code == 301)
            let location = response.headers.first { $0.name == .location }?.value
            #expect(location == "\(Self.prefix)/\(query)")
        }
    }
}
