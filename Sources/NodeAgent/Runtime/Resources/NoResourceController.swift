/// Where the machine offers nothing: no limits, no figures.
public struct NoResourceController: ResourceController {
    public init() {}
    public func create(_ group: ResourceGroup, limits: ResourceLimits) -> [String] { [] }
    public func createPod(_ pod: ResourceGroup, limits: ResourceLimits) -> [String] { [] }
    public func joinFile(_ group: ResourceGroup) -> String { "" }
    public func folders(_ group: ResourceGroup) -> [String: String] { [:] }
    public func remove(_ group: ResourceGroup) async {}
    public func usage(_ group: ResourceGroup) -> ResourceUsage? { nil }
    public func outOfMemoryKills(_ group: ResourceGroup) -> UInt64 { 0 }
    public func processes(_ group: ResourceGroup) -> Set<Int32> { [] }
}
