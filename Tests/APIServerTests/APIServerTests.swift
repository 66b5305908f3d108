import Testing

@testable import APIServer

@Suite struct QueryTests {
    @Test(arguments: [
        ("a=b&c=d%20e", "c", "d e"),
        ("labelSelector=app%3Dweb%2Ctier+in+%28a%2Cb%29", "labelSelector", "app=web,tier in (a,b)"),
        ("watch=", "watch", nil),
    ])
    func parameters(_ text: String, _ name: String, _ wanted: String?) {
        #expect(Query(text)[name] == wanted)
    }

    @Test func anEmptyFlagIsTrue() {
        #expect(Query("watch=").flag("watch"))
        #expect(!Query("watch=0").flag("watch"))
        #expect(!Query("").flag("watch"))
    }
}
