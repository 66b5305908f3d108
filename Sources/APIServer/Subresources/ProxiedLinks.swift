/// What a server behind a `proxy` subresource says of its own addresses, as the client has to call them: links that begin
/// with `/` lead to the proxy's path. All as upstream's proxy.
struct ProxiedLinks: Sendable {
    /// The path of the request up to `proxy`, without a slash at its end.
    let prefix: String
    /// The address and port that the request goes to.
    let address: String
    /// The host that the client has named; nil where it named none.
    let host: String?

    /// A link, or a `Location`, for the client. One that is relative, or leads to another host, stays as it is.
    func rewritten(_ link: String) -> String {
        let scheme = link.prefix(while: Self.isOfScheme)
        let hasScheme = link.dropFirst(scheme.count).hasPrefix("://")
        let rest = hasScheme ? link.dropFirst(scheme.count + 1) : link[...]
        guard rest.hasPrefix("//") else { return rest.hasPrefix("/") ? proxied(rest) : link }
        let authority = rest.dropFirst(2).prefix { !"/?#".contains($0) }
        let path = rest.dropFirst(2 + authority.count)
        if authority == address { return proxied(path) }
        // The client's own name of the API server is good for the proxy's path too.
        if let host, authority == host { return link.dropLast(path.count) + proxied(path) }
        return link
    }

    /// A path of the server as one of the proxy.
    private func proxied(_ path: Substring) -> String {
        if path.hasPrefix(prefix), path.dropFirst(prefix.count).first.map({ "/?#".contains($0) }) ?? true {
            return String(path)
        }
        return prefix + (path.hasPrefix("/") ? path : "/" + path)
    }

    private static func isOfScheme(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "+-.".contains(character))
    }
}
