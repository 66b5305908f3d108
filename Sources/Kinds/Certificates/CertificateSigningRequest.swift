import APIMachinery
import KubernetesModel

extension Kind {
    static let certificateSigningRequest = Kind(
        Group("certificates.k8s.io", "v1").row(
            "certificatesigningrequests", "CertificateSigningRequest", namespaced: false, short: ["csr"],
            status: true,
            others: [
                ResourceInfo.Subresource(
                    "approval", kind: "CertificateSigningRequest", verbs: ResourceInfo.Subresource.readAndWrite)
            ]),
        columns: Table.Columns([.name, .age, "SignerName", "Requestor", "RequestedDuration", "Condition"]) {
            object, now in
            let types = object.conditions.map(\.type)
            var condition = types.first { $0 == "Denied" } ?? types.first { $0 == "Approved" } ?? "Pending"
            if types.contains("Failed") { condition += ",Failed" }
            if object.status["certificate"].string?.isEmpty == false { condition += ",Issued" }
            let duration = object.spec["expirationSeconds"].int.map { Table.duration(Double($0)) }
            return [
                .string(object.name), object.age(now), Table.text(object.spec["signerName"]),
                Table.text(object.spec["username"]), .string(duration ?? "<none>"), .string(condition),
            ]
        },
        selectableFields: ["spec.signerName"], isReconciled: false)
}
