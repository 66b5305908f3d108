/// Where the machine offers nothing: no limits, no figures.
struct NoResourceDriver: ResourceDriver {
    var name: String { "none" }
    var consequence: String? {
        "no control groups that can be written here: limits are not enforced, use is not measured, and containers "
            + "do without CAP_MKNOD"
    }

    func controller(nodeDirectory: String) -> (any ResourceController)? { NoResourceController() }
}

struct NoResourceController: ResourceController {
    var guardsDevices: Bool { false }
    func reserveForCluster() {}
    func create(_ group: ResourceGroup, limits: ResourceLimits) -> [String] { [] }
    func createPod(_ pod: ResourceGroup, limits: ResourceLimits) -> [String] { [] }
    func processesFile(_ group: ResourceGroup) -> String? { nil }
    func directories(_ group: ResourceGroup) -> [String: String] { [:] }
    func remove(_ group: ResourceGroup) async {}
    func usage(_ group: ResourceGroup) -> ResourceUsage? { nil }
    func outOfMemoryKills(_ group: ResourceGroup) -> UInt64 { 0 }
    func processes(_ group: ResourceGroup) -> Set<Int32> { [] }
}
