import APIMachinery
import KubernetesModel

extension Kind {
    static let validatingAdmissionPolicy = Kind(
        Group.admissionRegistration.row(
            "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced: false, isExtension: true,
            status: true),
        defaults: { policy in
            policy.json["spec"].fill("failurePolicy", "Fail")
            policy.json["spec"].change("matchConstraints") { constraints in
                constraints.fill("matchPolicy", "Equivalent")
                constraints.fill("namespaceSelector", [:])
                constraints.fill("objectSelector", [:])
                constraints.changeEach("resourceRules") { $0.fill("scope", "*") }
            }
        },
        columns: Table.Columns([.name, .integer("Validations"), "ParamKind", .age]) { object, now in
            let parameter = object.spec["paramKind"]
            let kind =
                parameter.isNull
                ? "<unset>" : "\(parameter["apiVersion"].string ?? "")/\(parameter["kind"].string ?? "")"
            return [.string(object.name), Table.count(object.spec["validations"]), .string(kind), object.age(now)]
        },
        strategy: .counting.keepingInStatus(Strategy.clientMetadata), isReconciled: false)

    static let validatingAdmissionPolicyBinding = Kind(
        Group.admissionRegistration.row(
            "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", namespaced: false,
            isExtension: true),
        columns: Table.Columns([.name, "PolicyName", "ParamRef", .age]) { object, now in
            let reference = object.spec["paramRef"]
            let name =
                reference.isNull
                ? "<unset>"
                : "\(reference["namespace"].string.map { "\($0)/" } ?? "")\(reference["name"].string ?? "*")"
            return [.string(object.name), object.spec["policyName"], .string(name), object.age(now)]
        },
        isReconciled: false)
}
