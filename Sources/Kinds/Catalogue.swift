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

        init(group: String, version: String, plural: String) {
            self.group = group
            self.version = version
            self.plural = plural
        }

        init(_ type: ResourceType) { self.init(group: type.group, version: type.version, plural: type.plural) }
    }
    private struct KindKey: Hashable {
        let apiVersion: String
        let kind: String

        init(apiVersion: String, kind: String) {
            self.apiVersion = apiVersion
            self.kind = kind
        }

        init(_ type: ResourceType) { self.init(apiVersion: type.apiVersion, kind: type.kind) }
    }

    /// In the order of discovery.
    public private(set) var kinds: [Kind] = []
    private var byPlural: [PluralKey: Int] = [:]
    private var byKind: [KindKey: Int] = [:]

    public init(_ kinds: [Kind] = []) {
        for kind in kinds { add(kind) }
    }

    /// Adds a kind, or replaces that of the same group, version and plural.
    public mutating func add(_ kind: Kind) {
        let key = PluralKey(kind.type)
        if let index = byPlural[key] {
            byKind[KindKey(kinds[index].type)] = nil
            kinds[index] = kind
            byKind[KindKey(kind.type)] = index
        } else {
            byPlural[key] = kinds.count
            byKind[KindKey(kind.type)] = kinds.count
            kinds.append(kind)
        }
    }

    public mutating func remove(group: String, plural: String) {
        self = Catalogue(kinds.filter { $0.type.group != group || $0.type.plural != plural })
    }

    public func kind(group: String, version: String, plural: String) -> Kind? {
        byPlural[PluralKey(group: group, version: version, plural: plural)].map { kinds[$0] }
    }

    public func kind(_ type: ResourceType) -> Kind? { byPlural[PluralKey(type)].map { kinds[$0] } }

    public func kind(apiVersion: String, kind: String) -> Kind? {
        byKind[KindKey(apiVersion: apiVersion, kind: kind)].map { kinds[$0] }
    }
}

/// How the kinds are served, which is all that discovery and OpenAPI need.
extension Catalogue {
    public struct GroupVersion: Sendable, Hashable {
        public let group: String
        public let version: String

        public init(group: String, version: String) {
            self.group = group
            self.version = version
        }

        public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    }

    public var resources: [ResourceInfo] { kinds.map(\.info) }

    /// Each group and version that is served, the preferred version of a group first.
    public var groupVersions: [GroupVersion] {
        var seen: Set<GroupVersion> = []
        return kinds.compactMap { kind in
            let groupVersion = GroupVersion(group: kind.type.group, version: kind.type.version)
            return seen.insert(groupVersion).inserted ? groupVersion : nil
        }
    }

    public func resources(in groupVersion: GroupVersion) -> [ResourceInfo] {
        resources.filter { $0.type.group == groupVersion.group && $0.type.version == groupVersion.version }
    }
}
