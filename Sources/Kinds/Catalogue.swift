import APIMachinery
import KubernetesModel

/// Every kind that the API serves, by group, version and plural, and by kind.
///
/// A value: the API server adds custom resources to a copy.
public struct Catalogue: Sendable {
    private struct PluralKey: Hashable {
        let group: String
        let version: String
        let plural: String
    }
    private struct KindKey: Hashable {
        let apiVersion: String
        let kind: String
    }

    /// In the order of discovery.
    public private(set) var resources: [ResourceInfo] = []
    private var byPlural: [PluralKey: Int] = [:]
    private var byKind: [KindKey: Int] = [:]

    public init(_ resources: [ResourceInfo] = []) {
        for resource in resources { add(resource) }
    }

    /// Adds a kind, or replaces that of the same group, version and plural.
    public mutating func add(_ info: ResourceInfo) {
        let type = info.type
        let key = PluralKey(group: type.group, version: type.version, plural: type.plural)
        if let index = byPlural[key] {
            byKind[KindKey(apiVersion: type.apiVersion, kind: resources[index].type.kind)] = nil
            resources[index] = info
            byKind[KindKey(apiVersion: type.apiVersion, kind: type.kind)] = index
        } else {
            byPlural[key] = resources.count
            byKind[KindKey(apiVersion: type.apiVersion, kind: type.kind)] = resources.count
            resources.append(info)
        }
    }

    public mutating func remove(group: String, plural: String) {
        self = Catalogue(resources.filter { $0.type.group != group || $0.type.plural != plural })
    }

    public func resource(group: String, version: String, plural: String) -> ResourceInfo? {
        byPlural[PluralKey(group: group, version: version, plural: plural)].map { resources[$0] }
    }

    public func resource(_ type: ResourceType) -> ResourceInfo? {
        resource(group: type.group, version: type.version, plural: type.plural)
    }

    public func resource(apiVersion: String, kind: String) -> ResourceInfo? {
        byKind[KindKey(apiVersion: apiVersion, kind: kind)].map { resources[$0] }
    }

    public struct GroupVersion: Sendable, Hashable {
        public let group: String
        public let version: String

        public init(group: String, version: String) {
            self.group = group
            self.version = version
        }

        public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    }

    /// Each group and version that is served, the preferred version of a group first.
    public var groupVersions: [GroupVersion] {
        var seen: Set<GroupVersion> = []
        var ordered: [GroupVersion] = []
        for info in resources {
            let groupVersion = GroupVersion(group: info.type.group, version: info.type.version)
            if seen.insert(groupVersion).inserted { ordered.append(groupVersion) }
        }
        return ordered
    }

    public func resources(in groupVersion: GroupVersion) -> [ResourceInfo] {
        resources.filter { $0.type.group == groupVersion.group && $0.type.version == groupVersion.version }
    }
}
