import KubernetesModel
import Linux

/// Control groups of version 1, also where version 2 is mounted beside them (hybrid).
struct CgroupV1Driver: ResourceDriver {
    var name: String { "cgroup v1" }

    /// Remembers the place of the groups in `cgroups.json`: a later agent may be started from another group.
    func controller(nodeDirectory: String) -> (any ResourceController)? {
        let file = "\(nodeDirectory)/cgroups.json"
        let remembered = (try? readBytes(file)).flatMap { try? JSON(decoding: $0) }?.stringMap ?? [:]
        guard let cgroups = CgroupV1(remembered: remembered) else { return nil }
        try? makeDirectory(nodeDirectory)
        if cgroups.roots != remembered { try? replaceFile(file, JSON(cgroups.roots).encoded()) }
        return CgroupController(cgroups)
    }
}
