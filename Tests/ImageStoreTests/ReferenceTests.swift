import Testing

@testable import ImageStore

@Suite struct ReferenceTests {
    static let digest = "sha256:" + String(repeating: "0a", count: 32)

    @Test(arguments: [
        ("hello", "docker.io/library/hello:latest", "hello"),
        ("hello:1.0.0", "docker.io/library/hello:1.0.0", "hello:1.0.0"),
        ("library/hello", "docker.io/library/hello:latest", "hello"),
        ("docker.io/hello", "docker.io/library/hello:latest", "hello"),
        ("index.docker.io/me/hello", "docker.io/me/hello:latest", "me/hello"),
        ("localhost/a", "localhost/a:latest", "localhost/a"),
        ("reg:5000/a/b:v1", "reg:5000/a/b:v1", "reg:5000/a/b:v1"),
        ("reg.example/a__b/c--d.e", "reg.example/a__b/c--d.e:latest", "reg.example/a__b/c--d.e"),
        ("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a"),
        ("a@\(digest)", "docker.io/library/a@\(digest)", "a@\(digest)"),
        ("a:1@\(digest)", "docker.io/library/a:1@\(digest)", "a:1@\(digest)"),
    ])
    func normalises(name: String, full: String, familiar: String) throws {
        let reference = try Reference(parsing: name)
        #expect(reference.description == full)
        #expect(reference.familiar == familiar)
        #expect(try Reference(parsing: full) == reference)
    }

    @Test(arguments: [
        ("", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("a:", "invalid reference format"),
        ("a:-x", "invalid reference format"),
        ("a@sha256:12", "invalid reference format"),
        ("-a", "invalid reference format"),
        ("a-", "invalid reference format"),
        ("a___b", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("https://reg/a", "invalid reference format"),
        ("Hello", "invalid reference format: repository name (library/Hello) must be lowercase"),
        (String(repeating: "x/", count: 130) + "x", "repository name must not be more than 255 characters"),
    ])
    func refuses(name: String, problem: String) {
        #expect(throws: ImageError.invalidReference(name: name, problem: problem)) { try Reference(parsing: name) }
    }
}
