import HTTPTypes
import KubernetesModel
import Testing

@testable import APIServer

/// `kubectl --as`: the request is the other user's, or is refused; never the requesting user's own.
@Suite struct ImpersonationTests {
    private static let administrator = ClientCertificate(
        user: User(name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"]), der: [])
    private static let other = ClientCertificate(
        user: User(name: "jane", groups: ["system:authenticated"]), der: [])

    private static func headers(_ fields: [(String, String)]) throws -> HTTPFields {
        var headers = HTTPFields()
        for (name, value) in fields {
            headers.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        return headers
    }

    @Test(
        arguments: [
            ([("Impersonate-User", "bob")], "bob", ["system:authenticated"]),
            (
                [("Impersonate-User", "bob"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b")], "bob",
                ["a", "b", "system:authenticated"]
            ),
            ([("Impersonate-User", "system:anonymous")], "system:anonymous", ["system:unauthenticated"]),
            (
                [("Impersonate-User", "system:serviceaccount:default:bob")], "system:serviceaccount:default:bob",
                ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
            ),
        ] as [([(String, String)], String, [String])])
    func administratorsActAsOthers(_ fields: [(String, String)], _ name: String, _ groups: [String]) async throws {
        try await TestServer.run { api in
            let user = try api.server.pipeline.user(headers: Self.headers(fields), certificate: Self.administrator)
            #expect(user.name == name && user.groups == groups)
        }
    }

    @Test func moreOfAUserIsTaken() async throws {
        try await TestServer.run { api in
            let fields = [
                ("Impersonate-User", "bob"), ("Impersonate-Uid", "u"), ("Impersonate-Extra-Acme.com%2Fproject", "x"),
            ]
            let user = try api.server.pipeline.user(headers: Self.headers(fields), certificate: Self.administrator)
            #expect(user.uid == "u" && user.extra == ["acme.com/project": ["x"]])
        }
    }

    @Test(
        arguments: [
            (
                [("Impersonate-User", "bob")], 403,
                "users \"bob\" is forbidden: User \"jane\" cannot impersonate resource "
                    + "\"users\" in API group \"\" at the cluster scope"
            ),
            (
                [("Impersonate-User", "system:serviceaccount:default:bob")], 403,
                "serviceaccounts \"bob\" is forbidden: User \"jane\" cannot impersonate resource \"serviceaccounts\" in "
                    + "API group \"\" in the namespace \"default\""
            ),
            ([("Impersonate-Group", "system:masters")], 400, "requested to impersonate a group, an uid or an extra"),
            ([("Impersonate-Uid", "u")], 400, "requested to impersonate"),
            ([("Impersonate-Name", "u")], 400, "unknown"),
        ] as [([(String, String)], Int, String)])
    func othersAreRefused(_ fields: [(String, String)], _ code: Int, _ message: String) async throws {
        try await TestServer.run { api in
            for certificate in [Self.other] + (code == 400 ? [Self.administrator] : []) {
                let error = try #require(throws: Status.self) {
                    try api.server.pipeline.user(headers: Self.headers(fields), certificate: certificate)
                }
                #expect(error.code == code && error.message.hasPrefix(message), "\(error)")
            }
        }
    }

    /// Who acts as a user that may do nothing, may do nothing.
    @Test func anImpersonatedUserHasItsOwnRights() async throws {
        try await TestServer.run { api in
            let client = try await TestConnection(port: api.port, directory: api.directory, asAdministrator: true)
            client.send("GET /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nImpersonate-User: system:anonymous\r\n\r\n")
            try await client.expect("User \\\"system:anonymous\\\" cannot list resource")
            await client.close()
        }
    }
}
