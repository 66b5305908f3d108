import APIClient
import KubernetesModel

/// Which objects an owner's selector claims, by the rules of upstream's `controller_ref_manager.go`.
struct Claim {
    /// Those that the owner manages and that match.
    private(set) var kept: [Object] = []
    /// Those without a controller that match.
    private(set) var adopt: [Object] = []
    /// Those that the owner manages and that match no longer.
    private(set) var release: [Object] = []

    /// - Parameters:
    ///   - managed: objects whose controller is the owner.
    ///   - unmanaged: objects of the owner's namespace without a controller.
    init(owner: Object, selector: LabelSelector, managed: [Object], unmanaged: [Object]) {
        for object in managed {
            if selector.matches(object.labels) {
                kept.append(object)
            } else if !owner.isBeingDeleted {
                release.append(object)
            }
        }
        guard !owner.isBeingDeleted else { return }
        adopt = unmanaged.filter { !$0.isBeingDeleted && selector.matches($0.labels) }
    }
}

/// Writes the controller references of the objects of one type that owners of another type manage.
struct ControllerReferences: Sendable {
    let client: any Client
    let owners: ResourceType
    let type: ResourceType

    /// Carries a claim out.
    ///
    /// - Returns: what the owner manages from now on, the adopted objects as they were written.
    func carryOut(_ claim: Claim, for owner: Object) async throws -> [Object] {
        for object in claim.release { try await release(object) }
        return claim.kept + (try await adopt(claim.adopt, by: owner))
    }

    private func release(_ object: Object) async throws {
        _ = try await set(object.ownerReferences.filter { !$0.isController }, of: object)
    }

    private func adopt(_ objects: [Object], by owner: Object) async throws -> [Object] {
        guard !objects.isEmpty else { return [] }
        // An owner that was deleted meanwhile must adopt nothing; the cache may not know yet.
        let current = try await client.get(owners, owner.key)
        guard current.uid == owner.uid, !current.isBeingDeleted else { return [] }
        var adopted: [Object] = []
        for object in objects {
            let references = object.ownerReferences + [OwnerReference(controller: owner)]
            if let written = try await set(references, of: object) { adopted.append(written) }
        }
        return adopted
    }

    /// - Returns: the object as it was written; nil where it is gone.
    private func set(_ references: [OwnerReference], of object: Object) async throws -> Object? {
        let patch: JSON = [
            "metadata": [
                "uid": .string(object.uid), "resourceVersion": .string(object.resourceVersion),
                "ownerReferences": .array(references.map(\.json)),
            ]
        ]
        return try await ignoringNotFound {
            try await client.patch(
                type, namespace: object.namespace, name: object.name, subresource: nil, .merge(patch))
        }
    }
}
