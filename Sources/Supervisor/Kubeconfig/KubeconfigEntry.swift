import FoundationEssentials
import KubernetesModel

/// One cluster, one user and the context that joins them, all of one name, as a kubeconfig has them.
struct KubeconfigEntry {
    let name: String
    let server: String
    /// PEM, as are the next two.
    let authority: String
    let clientCertificate: String
    let clientKey: String

    private static func base64(_ text: String) -> JSON { .string(Data(text.utf8).base64EncodedString()) }

    var cluster: JSON { ["server": .string(server), "certificate-authority-data": Self.base64(authority)] }
    var user: JSON {
        ["client-certificate-data": Self.base64(clientCertificate), "client-key-data": Self.base64(clientKey)]
    }
    var context: JSON { ["cluster": .string(name), "user": .string(name)] }

    /// The three lists of a kubeconfig, with the key under which each keeps its entries' content.
    var sections: [(list: String, key: String, value: JSON)] {
        [("clusters", "cluster", cluster), ("users", "user", user), ("contexts", "context", context)]
    }

    /// A kubeconfig with nothing else.
    var document: JSON {
        var document: JSON = [
            "apiVersion": "v1", "kind": "Config", "preferences": [:], "current-context": .string(name),
        ]
        for section in sections { document[section.list] = [["name": .string(name), section.key: section.value]] }
        return document
    }

    /// The lists of a kubeconfig, with the key under which each keeps its entries' content.
    static let lists: [(name: String, key: String)] = [
        ("clusters", "cluster"), ("contexts", "context"), ("users", "user"),
    ]

    /// The extension of an entry's content in a user's kubeconfig by which it is known as this program's.
    private static let extensionName = "martlet.dev"

    /// - Parameter previousContext: which context was the current one before; kept with the context.
    static func mark(_ content: inout JSON, previousContext: String?) {
        var kept: JSON = ["version": .string(Version.martlet)]
        if let previousContext, !previousContext.isEmpty { kept["previous-context"] = .string(previousContext) }
        content["extensions"] = [["name": .string(extensionName), "extension": kept]]
    }

    static func isOurs(_ content: JSON) -> Bool {
        content["extensions"].items.contains { $0["name"].string == extensionName }
    }

    static func previousContext(of context: JSON) -> String? {
        let kept = context["extensions"].items.first { $0["name"].string == extensionName } ?? .null
        return kept["extension"]["previous-context"].string
    }

    init(name: String, server: String, authority: String, clientCertificate: String, clientKey: String) {
        self.name = name
        self.server = server
        self.authority = authority
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
    }
}
