import APIMachinery
import KubernetesModel

/// The kinds of flowcontrol.apiserver.k8s.io.
extension Kind {
    private static let group = Group("flowcontrol.apiserver.k8s.io", "v1")

    static let flowSchema = Kind(
        group.row("flowschemas", "FlowSchema", namespaced: false, status: true),
        defaults: { $0.json["spec"].fill(zero: "matchingPrecedence", 1000) },
        columns: Table.Columns([
            .name, "PriorityLevel", .integer("MatchingPrecedence"), "DistinguisherMethod", .age, "MissingPL",
        ]) { object, now in
            [
                .string(object.name), object.spec["priorityLevelConfiguration"]["name"],
                object.spec["matchingPrecedence"], Table.text(object.spec["distinguisherMethod"]["type"]),
                object.age(now), .string(object.condition("Dangling")?.status ?? "?"),
            ]
        },
        strategy: .counting.keepingInStatus(Strategy.clientMetadata))

    static let priorityLevelConfiguration = Kind(
        group.row("prioritylevelconfigurations", "PriorityLevelConfiguration", namespaced: false, status: true),
        columns: Table.Columns([
            .name, "Type", "NominalConcurrencyShares", "Queues", "HandSize", "QueueLengthLimit", .age,
        ]) { object, now in
            let limited = object.spec["limited"]
            let shares = limited.isNull ? object.spec["exempt"] : limited
            let queuing = limited["limitResponse"]["queuing"]
            return [
                .string(object.name), object.spec["type"], Table.text(shares["nominalConcurrencyShares"]),
                Table.text(queuing["queues"]), Table.text(queuing["handSize"]),
                Table.text(queuing["queueLengthLimit"]), object.age(now),
            ]
        },
        strategy: .counting.keepingInStatus(Strategy.clientMetadata))
}
