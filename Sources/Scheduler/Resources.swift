import KubernetesModel

/// Resources that a node has and pods request: millicores, bytes, and counts of extended resources.
struct Resources: Equatable, Sendable {
    var milliCPU = 0
    var memory = 0
    var ephemeralStorage = 0
    /// By resource name; whole units.
    var extended: [String: Int] = [:]

    init() {}

    init(_ list: ResourceList) {
        for (name, quantity) in list {
            switch name {
            case "cpu": milliCPU = min(quantity.milliValue, Self.most)
            case "memory": memory = min(quantity.value, Self.most)
            case "ephemeral-storage": ephemeralStorage = min(quantity.value, Self.most)
            case "pods": break
            default: extended[name] = min(quantity.value, Self.most)
            }
        }
    }

    /// More than any machine has, and little enough for the sum of a node's pods to be a number.
    private static let most = 1 << 52

    static func += (left: inout Resources, right: Resources) { left.add(right, sign: 1) }
    static func -= (left: inout Resources, right: Resources) { left.add(right, sign: -1) }

    private mutating func add(_ other: Resources, sign: Int) {
        milliCPU += sign * other.milliCPU
        memory += sign * other.memory
        ephemeralStorage += sign * other.ephemeralStorage
        for (name, amount) in other.extended { extended[name, default: 0] += sign * amount }
    }
}

/// A port of the host that a pod takes.
struct HostPort: Hashable, Sendable {
    let address: String
    let transport: String
    let number: Int

    private var isAnyAddress: Bool { address == "0.0.0.0" || address == "::" }

    func conflicts(with other: HostPort) -> Bool {
        number == other.number && transport == other.transport
            && (address == other.address || isAnyAddress || other.isAnyAddress)
    }
}
