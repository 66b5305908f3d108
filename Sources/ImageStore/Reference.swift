/// An image's name in full: `domain/path`, with a tag or a digest or both (the distribution specification's grammar,
/// and Docker's short forms of it).
public struct Reference: Sendable, Hashable, CustomStringConvertible {
    /// `docker.io` where none was given.
    public let domain: String
    /// `library/` goes before a one-part name of `docker.io`.
    public let path: String
    /// `latest` where neither a tag nor a digest was given.
    public let tag: String?
    public let digest: String?

    public init(parsing name: String) throws(ImageError) {
        func invalid(_ problem: String = "invalid reference format") -> ImageError {
            .invalidReference(name: name, problem: problem)
        }
        if name.utf8.count == 64, name.utf8.allSatisfy(Digest.isLowerHex) {
            throw invalid("invalid repository name (\(name)), cannot specify 64-byte hexadecimal strings")
        }
        var rest = Substring(name)
        var digest: String?
        if let at = rest.firstIndex(of: "@") {
            digest = String(rest[rest.index(after: at)...])
            rest = rest[..<at]
            guard let digest, Digest.hex(digest) != nil else { throw invalid() }
        }
        var tag: String?
        // A colon before a slash is a port's.
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
            guard let tag, Self.isTag(tag) else { throw invalid() }
        }
        var domain = "docker.io"
        var path = String(rest)
        if let slash = rest.firstIndex(of: "/") {
            let first = rest[..<slash]
            let isDomain =
                first == "localhost" || first.contains { $0 == "." || $0 == ":" } || first != first.lowercased()
            if isDomain {
                domain = String(first)
                path = String(rest[rest.index(after: slash)...])
            }
        }
        if domain == "index.docker.io" { domain = "docker.io" }
        if domain == "docker.io", !path.isEmpty, !path.contains("/") { path = "library/" + path }
        guard Self.isDomain(domain) else { throw invalid() }
        if path.contains(where: \.isUppercase), Self.isPath(path.lowercased()) {
            throw invalid("invalid reference format: repository name (\(path)) must be lowercase")
        }
        guard Self.isPath(path) else { throw invalid() }
        guard domain.utf8.count + 1 + path.utf8.count <= 255 else {
            throw invalid("repository name must not be more than 255 characters")
        }
        self.domain = domain
        self.path = path
        self.tag = tag ?? (digest == nil ? "latest" : nil)
        self.digest = digest
    }

    /// A name that an image may be given: with a tag, without a digest, and not a built-in one.
    init(taggable name: String) throws(ImageError) {
        try self.init(parsing: name)
        if digest != nil {
            throw .invalidReference(name: name, problem: "a name to give has a tag, not a digest")
        }
        if path == "library/host" || path == "library/scratch", domain == "docker.io" { throw .reserved(familiar) }
    }

    public var description: String { full(domain + "/" + path) }

    /// As people write it: without `docker.io/library/`, and without `:latest`.
    public var familiar: String { tag == "latest" && digest == nil ? familiarName : full(familiarName) }

    /// `familiar` without tag and digest.
    public var familiarName: String {
        let whole = domain + "/" + path
        guard domain == "docker.io" else { return whole }
        let short = path.hasPrefix("library/") ? String(path.dropFirst("library/".count)) : path
        // Without its domain, `docker.io/a.b/c` would be another registry's.
        let again = try? Reference(parsing: short)
        return again?.domain == domain && again?.path == path ? short : whole
    }

    public var isHost: Bool { isBuiltIn("host") }
    public var isScratch: Bool { isBuiltIn("scratch") }

    private func isBuiltIn(_ name: String) -> Bool {
        domain == "docker.io" && path == "library/" + name && tag == "latest" && digest == nil
    }

    private func full(_ name: String) -> String {
        name + (tag.map { ":" + $0 } ?? "") + (digest.map { "@" + $0 } ?? "")
    }
}

extension Reference {
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLower(byte) || (65...90).contains(byte) }
    private static func isLower(_ byte: UInt8) -> Bool { (97...122).contains(byte) || (48...57).contains(byte) }

    /// A letter, digit or underscore, then up to 127 of these and `.` and `-`.
    private static func isTag(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128, first != 45, first != 46 else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 95 || $0 == 45 || $0 == 46 }
    }

    /// A host name or `[IPv6]`, with or without a port.
    private static func isDomain(_ text: String) -> Bool {
        var host = Substring(text)
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") {
            let port = host[host.index(after: colon)...]
            guard !port.isEmpty, port.utf8.allSatisfy({ (48...57).contains($0) }) else { return false }
            host = host[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            return host.utf8.count > 2
                && host.dropFirst().dropLast().utf8.allSatisfy {
                    Digest.isLowerHex($0) || (65...70).contains($0) || $0 == 58
                }
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.utf8.first, let last = label.utf8.last else { return false }
            return first != 45 && last != 45 && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == 45 }
        }
    }

    /// Lower-case parts between slashes; within a part `.`, `_`, `__` or a run of `-` separates letters and digits.
    private static func isPath(_ text: String) -> Bool {
        text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            var separator: [UInt8] = [0]  // a part must not begin with a separator
            for byte in part.utf8 {
                if isLower(byte) {
                    separator = []
                } else if separator == [0] {
                    return false
                } else {
                    separator.append(byte)
                    let isAllowed =
                        separator == [46] || separator == [95] || separator == [95, 95]
                        || separator.allSatisfy { $0 == 45 }
                    guard isAllowed else { return false }
                }
            }
            return separator.isEmpty
        }
    }
}
