import APIMachinery
import KubernetesModel

extension Group {
    static let rbac = Group("rbac.authorization.k8s.io", "v1", definitions: "io.k8s.api.rbac.v1.")
}

/// Roles and their bindings, each in a namespace or of the cluster.
extension Kind {
    static let role = Kind(
        Group.rbac.row("roles", "Role"), name: Names.pathSegment, defaults: roleDefaults,
        validate: { $0.rules(of: $1, mayNamePaths: false) }, columns: .nameAndCreation, isReconciled: false)

    static let clusterRole = Kind(
        Group.rbac.row("clusterroles", "ClusterRole", namespaced: false), name: Names.pathSegment,
        defaults: roleDefaults, validate: { $0.rules(of: $1, mayNamePaths: true) }, columns: .nameAndCreation,
        isReconciled: false)

    static let roleBinding = Kind(
        Group.rbac.row("rolebindings", "RoleBinding"), name: Names.pathSegment, defaults: bindingDefaults,
        validate: { $0.binding($1, to: ["Role", "ClusterRole"]) }, validateUpdate: { $0.bindingUpdate($1, old: $2) },
        columns: bindingColumns, isReconciled: false)

    static let clusterRoleBinding = Kind(
        Group.rbac.row("clusterrolebindings", "ClusterRoleBinding", namespaced: false), name: Names.pathSegment,
        defaults: bindingDefaults, validate: { $0.binding($1, to: ["ClusterRole"]) },
        validateUpdate: { $0.bindingUpdate($1, old: $2) }, columns: bindingColumns, isReconciled: false)

    @Sendable private static func roleDefaults(_ role: inout Object) {
        if role["rules"].isNull { role["rules"] = [] }
    }

    @Sendable private static func bindingDefaults(_ binding: inout Object) {
        let group = JSON(Group.rbac.name)
        binding.json.change("roleRef") { $0.fill("apiGroup", group) }
        binding.json.changeEach("subjects") { subject in
            if subject["kind"] == "User" || subject["kind"] == "Group" { subject.fill("apiGroup", group) }
        }
    }

    private static let bindingColumns = Table.Columns([
        .name, "Role", .age, .wide("Users"), .wide("Groups"), .wide("ServiceAccounts"),
    ]) { object, now in
        let role = object["roleRef"]
        func subjects(_ kind: String) -> JSON {
            .string(
                object["subjects"].items.filter { $0["kind"].string == kind }.map { subject in
                    let name = subject["name"].string ?? ""
                    return kind == "ServiceAccount" ? "\(subject["namespace"].string ?? "")/\(name)" : name
                }.joined(separator: ", "))
        }
        return [
            .string(object.name), .string("\(role["kind"].string ?? "")/\(role["name"].string ?? "")"), object.age(now),
            subjects("User"), subjects("Group"), subjects("ServiceAccount"),
        ]
    }
}

extension Validation {
    /// - Parameter mayNamePaths: whether rules may be about paths that are no resources.
    fileprivate mutating func rules(of role: Object, mayNamePaths: Bool) {
        for (index, rule) in role["rules"].items.enumerated() {
            let at = "rules[\(index)]"
            if rule["verbs"].items.isEmpty { required("\(at).verbs", "verbs must contain at least one value") }
            guard rule["nonResourceURLs"].items.isEmpty else {
                if !mayNamePaths {
                    invalid(
                        "\(at).nonResourceURLs", rule["nonResourceURLs"],
                        "namespaced rules cannot apply to non-resource URLs")
                }
                continue
            }
            if rule["apiGroups"].items.isEmpty {
                required("\(at).apiGroups", "resource rules must supply at least one api group")
            }
            if rule["resources"].items.isEmpty {
                required("\(at).resources", "resource rules must supply at least one resource")
            }
        }
    }

    fileprivate mutating func binding(_ binding: Object, to kinds: [String]) {
        let role = binding["roleRef"]
        oneOf("roleRef.apiGroup", role["apiGroup"], [Group.rbac.name])
        oneOf("roleRef.kind", role["kind"], kinds)
        if role["name"].string?.isEmpty ?? true { required("roleRef.name") }
        for (index, subject) in binding["subjects"].items.enumerated() {
            let at = "subjects[\(index)]"
            if subject["name"].string?.isEmpty ?? true { required("\(at).name") }
            switch subject["kind"].string {
            case "ServiceAccount":
                if subject["namespace"].string?.isEmpty ?? true { required("\(at).namespace") }
            case "User", "Group": oneOf("\(at).apiGroup", subject["apiGroup"], [Group.rbac.name])
            default:
                add(
                    .notSupported("\(at).kind", value: subject["kind"], supported: ["ServiceAccount", "User", "Group"]))
            }
        }
    }

    fileprivate mutating func bindingUpdate(_ object: Object, old: Object) {
        if object["roleRef"] != old["roleRef"] { invalid("roleRef", object["roleRef"], "cannot change roleRef") }
    }
}
