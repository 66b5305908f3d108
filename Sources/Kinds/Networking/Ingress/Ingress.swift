import APIMachinery
import KubernetesModel

extension Kind {
    static let ingress = Kind(
        Group.networking.row("ingresses", "Ingress", short: ["ing"], status: true),
        validate: { $0.ingress($1.spec) },
        columns: Table.Columns([.name, "Class", "Hosts", "Address", "Ports", .age]) { object, now in
            let hosts = object.spec["rules"].items.compactMap { $0["host"].string }.filter { !$0.isEmpty }
            let addresses = object.status["loadBalancer"]["ingress"].items.compactMap {
                $0["ip"].string ?? $0["hostname"].string
            }
            let isTLS = !object.spec["tls"].items.isEmpty
            let name = object.spec["ingressClassName"].string ?? object.annotations["kubernetes.io/ingress.class"]
            return [
                .string(object.name), .string(name ?? "<none>"), Table.firstThree(hosts, none: "*"),
                .string(addresses.joined(separator: ",")), isTLS ? "80, 443" : "80", object.age(now),
            ]
        },
        strategy: .counting, isReconciled: false)
}
