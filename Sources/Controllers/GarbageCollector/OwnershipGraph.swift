import KubernetesModel

/// The owners and dependents of all objects of all types, by which the garbage collector decides.
struct OwnershipGraph {
    static let foreground = "foregroundDeletion"
    static let orphan = "orphan"

    struct Entry: Sendable, Equatable {
        let type: ResourceType
        let key: ObjectKey
        let uid: String
        let owners: [OwnerReference]
        let isBeingDeleted: Bool
        let finalizers: [String]

        init(_ type: ResourceType, _ object: Object) {
            self.type = type
            key = object.key
            uid = object.uid
            owners = object.ownerReferences
            isBeingDeleted = object.isBeingDeleted
            finalizers = object.finalizers
        }

        /// Whether it stays until what it owns is gone.
        var waitsForDependents: Bool { isBeingDeleted && finalizers.contains(OwnershipGraph.foreground) }
        /// Whether it stays until what it owns is disowned.
        var orphansDependents: Bool { isBeingDeleted && finalizers.contains(OwnershipGraph.orphan) }
    }

    private(set) var entries: [String: Entry] = [:]
    private var dependentsOf: [String: Set<String>] = [:]
    /// UIDs known to be gone for good, so that the server need not be asked about each.
    private var gone: Set<String> = []
    private static let remembered = 4096

    func dependents(of uid: String) -> [Entry] { dependentsOf[uid]?.compactMap { entries[$0] } ?? [] }
    func isGone(_ uid: String) -> Bool { gone.contains(uid) }

    mutating func noteGone(_ uid: String) {
        if gone.count >= Self.remembered { gone.removeAll() }
        gone.insert(uid)
    }

    /// Adds or replaces an object. Returns the UIDs that are to be reconciled because of it.
    mutating func put(_ entry: Entry) -> [String] {
        let before = entries.updateValue(entry, forKey: entry.uid)
        guard before != entry else { return [] }
        let owners = Set(entry.owners.map(\.uid))
        let oldOwners = Set(before?.owners.map(\.uid) ?? [])
        for owner in oldOwners.subtracting(owners) { remove(entry.uid, from: owner) }
        for owner in owners { dependentsOf[owner, default: []].insert(entry.uid) }
        var affected: [String] = []
        if !owners.isEmpty || entry.waitsForDependents || entry.orphansDependents { affected.append(entry.uid) }
        // An owner may have waited for this to be let go, or not to block it any more.
        if before?.owners != entry.owners {
            affected += oldOwners.filter { entries[$0]?.waitsForDependents == true }
        }
        // What it owns has to go first.
        if entry.waitsForDependents { affected += dependentsOf[entry.uid] ?? [] }
        return affected
    }

    /// Removes an object. Returns the UIDs that are to be reconciled because of it.
    mutating func remove(_ uid: String) -> [String] {
        guard let entry = entries.removeValue(forKey: uid) else { return [] }
        noteGone(uid)
        for owner in entry.owners { remove(uid, from: owner.uid) }
        return Array(dependentsOf[uid] ?? [])
            + entry.owners.map(\.uid).filter { entries[$0]?.waitsForDependents == true }
    }

    private mutating func remove(_ uid: String, from owner: String) {
        dependentsOf[owner]?.remove(uid)
        if dependentsOf[owner]?.isEmpty == true { dependentsOf[owner] = nil }
    }

    /// The collector's next step for one object.
    enum Step: Equatable {
        case leave
        /// The server must say first whether these owners exist, which the graph does not know.
        case ask([OwnerReference])
        /// It has owners left: the references to others are to be taken away.
        case disown([String])
        /// All its owners are gone or going.
        case delete(DeletionPolicy)
        /// It is to be disowned by these, then lose its finalizer `orphan`.
        case releaseDependents([Entry])
        /// Nothing blocks it any more: its finalizer `foregroundDeletion` is to go.
        case finishForeground
    }

    enum DeletionPolicy: Equatable { case background, foreground, orphan }

    /// - Parameter existing: UIDs of owners that the server says exist.
    func step(for uid: String, existing: Set<String> = []) -> Step {
        guard let entry = entries[uid] else { return .leave }
        if entry.orphansDependents { return .releaseDependents(dependents(of: uid)) }
        if entry.waitsForDependents {
            // Owners in a circle wait for each other, and together for what they own besides.
            let circle = circle(of: uid)
            let isBlocked = circle.contains { member in
                blockers(of: member).contains { !circle.contains($0.uid) }
            }
            return isBlocked ? .leave : .finishForeground
        }
        guard !entry.isBeingDeleted, !entry.owners.isEmpty else { return .leave }

        var lasting: [String] = []
        var waiting: [String] = []
        var absent: [String] = []
        var unknown: [OwnerReference] = []
        for owner in entry.owners {
            if let present = entries[owner.uid], isReachable(present, from: entry) {
                if present.waitsForDependents { waiting.append(owner.uid) } else { lasting.append(owner.uid) }
            } else if gone.contains(owner.uid) || entries[owner.uid] != nil {
                absent.append(owner.uid)
            } else if existing.contains(owner.uid) {
                lasting.append(owner.uid)
            } else {
                unknown.append(owner)
            }
        }
        if !unknown.isEmpty { return .ask(unknown) }
        if !lasting.isEmpty {
            let others = absent + waiting
            return others.isEmpty ? .leave : .disown(others)
        }
        if !waiting.isEmpty, dependentsOf[uid] != nil { return .delete(.foreground) }
        if entry.finalizers.contains(Self.orphan) { return .delete(.orphan) }
        return .delete(entry.finalizers.contains(Self.foreground) ? .foreground : .background)
    }

    /// What keeps an owner from being deleted before it.
    private func blockers(of uid: String) -> [Entry] {
        dependents(of: uid).filter { dependent in
            dependent.owners.contains { $0.uid == uid && $0.blocksOwnerDeletion }
        }
    }

    /// The owners that wait for each other, of which this is one: those that it waits for and that wait for it.
    private func circle(of uid: String) -> Set<String> {
        let below = reached(from: uid) { blockers(of: $0).filter(\.waitsForDependents).map(\.uid) }
        guard below.contains(uid) else { return [uid] }
        let above = reached(from: uid) { below in
            (entries[below]?.owners ?? []).filter { owner in
                owner.blocksOwnerDeletion && entries[owner.uid]?.waitsForDependents == true
            }.map(\.uid)
        }
        return below.intersection(above)
    }

    /// All that a step, and one more from there, leads to; without the beginning, unless it is led back to.
    private func reached(from uid: String, _ step: (String) -> [String]) -> Set<String> {
        var found: Set<String> = []
        var next = [uid]
        while let current = next.popLast() {
            for uid in step(current) where found.insert(uid).inserted { next.append(uid) }
        }
        return found
    }

    /// An owner is in the namespace of what it owns, or in none.
    private func isReachable(_ owner: Entry, from dependent: Entry) -> Bool {
        !owner.type.namespaced || owner.key.namespace == dependent.key.namespace
    }
}
