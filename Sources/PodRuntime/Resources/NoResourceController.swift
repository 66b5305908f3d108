/// Where the machine offers nothing: no limits, no figures.
package struct NoResourceController: ResourceController {
    package init() {}
    package func create(_ group: ResourceGroup, limits: ResourceLimits) -> [String] { [] }
    package func createPod(_ pod: ResourceGroup, limits: ResourceLimits) -> [String] { [] }
    package func joinFile(_ group: ResourceGroup) -> String { "" }
    package func folders(_ group: ResourceGroup) -> [String: String] { [:] }
    package func remove(_ group: ResourceGroup) async {}
    package func usage(_ group: ResourceGroup) -> ResourceUsage? { nil }
    package func outOfMemoryKills(_ group: ResourceGroup) -> UInt64 { 0 }
    package func processes(_ group: ResourceGroup) -> Set<Int32> { [] }
}
