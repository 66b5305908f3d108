import Linux

/// Control groups of version 2, where version 1 has none of the controllers.
struct CgroupV2Driver: ResourceDriver {
    var name: String { "cgroup v2" }

    func controller(nodeDirectory: String) -> (any ResourceController)? { CgroupV2().map { CgroupController($0) } }
}
