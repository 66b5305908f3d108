import KubernetesModel

/// The result of a request about an object that may be gone; nil where it is (`NotFound`).
public func ignoringNotFound<Value>(
    isolation: isolated (any Actor)? = #isolation, _ request: () async throws -> Value
) async throws -> Value? {
    do {
        return try await request()
    } catch let status as Status where status.isNotFound {
        return nil
    }
}

extension Client {
    /// The object as the server has it; nil where there is none.
    public func getIfPresent(_ type: ResourceType, _ key: ObjectKey) async throws -> Object? {
        try await ignoringNotFound { try await get(type, key) }
    }

    /// Deletes one object, by its UID: where it is gone, or another one has its name by now, there is nothing to do.
    ///
    /// - Returns: whether it was there.
    @discardableResult
    public func deleteIfPresent(
        _ type: ResourceType, _ key: ObjectKey, uid: String, gracePeriodSeconds: Int? = nil,
        propagation: DeleteOptions.Propagation? = nil
    ) async throws -> Bool {
        do {
            try await delete(
                type, key,
                options: DeleteOptions(gracePeriodSeconds: gracePeriodSeconds, propagation: propagation, uid: uid))
            return true
        } catch let status as Status where status.isNotFound || status.isConflict {
            return false
        }
    }

    /// As above, of an object as it was read.
    @discardableResult
    public func deleteIfPresent(
        _ type: ResourceType, _ object: Object, gracePeriodSeconds: Int? = nil,
        propagation: DeleteOptions.Propagation? = nil
    ) async throws -> Bool {
        try await deleteIfPresent(
            type, object.key, uid: object.uid, gracePeriodSeconds: gracePeriodSeconds, propagation: propagation)
    }
}
