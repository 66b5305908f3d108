/// The user of a request.
public struct User: Sendable, Hashable {
    public let name: String
    public let uid: String
    public let groups: [String]
    /// What authentication adds, such as the pod that a token is bound to.
    public let extra: [String: [String]]

    public init(name: String, uid: String = "", groups: [String], extra: [String: [String]] = [:]) {
        self.name = name
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }

    static let anonymous = User(name: "system:anonymous", groups: ["system:unauthenticated"])
    /// The components of the control plane that runs in this process.
    static let controlPlane = User(name: "system:apiserver", groups: ["system:masters", "system:authenticated"])

    var isAuthenticated: Bool { groups.contains("system:authenticated") }
}
