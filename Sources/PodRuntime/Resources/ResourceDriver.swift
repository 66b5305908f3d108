/// A mechanism of the kernel that limits and measures resources: a row of `ResourceDrivers.all`.
package protocol ResourceDriver: Sendable {
    /// As the log shows it.
    var name: String { get }
    /// What a cluster has to do without under this driver; nil for nothing.
    var consequence: String? { get }
    /// Nil where this machine does not offer the mechanism.
    ///
    /// - Parameter nodeDirectory: `<state>/nodes/<node>`, where a driver may remember what a later agent needs.
    func controller(nodeDirectory: String) -> (any ResourceController)?
}

extension ResourceDriver {
    package var consequence: String? { nil }
}

package enum ResourceDrivers {
    /// The best first; the last one is always there.
    package static let all: [any ResourceDriver] = [CgroupV1Driver(), CgroupV2Driver(), NoResourceDriver()]

    /// The first driver that this machine offers, with its controller.
    package static func choose(
        nodeDirectory: String, from drivers: [any ResourceDriver] = all
    ) -> (driver: any ResourceDriver, controller: any ResourceController) {
        for driver in drivers {
            if let controller = driver.controller(nodeDirectory: nodeDirectory) { return (driver, controller) }
        }
        return (NoResourceDriver(), NoResourceController())
    }
}
