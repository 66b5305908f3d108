import APIClient
import KubernetesModel

extension Client {
    /// Writes `status` as the status of `object`, also where `object` is an old copy: each status has just one writer.
    ///
    /// Sends nothing where the status is the same, or the object gone.
    func writeStatus(_ type: ResourceType, _ object: Object, _ status: JSON) async throws {
        guard object.status != status else { return }
        var target = object
        for attempt in 1... {
            target.status = status
            do {
                try await updateStatus(type, target)
                return
            } catch let error as Status where error.isConflict && attempt < 4 {
                guard let current = try await getIfPresent(type, object.key) else { return }
                target = current
                guard target.uid == object.uid, target.status != status else { return }
            } catch let error as Status where error.isNotFound {
                return
            }
        }
    }
}

extension JSON {
    /// A whole number that the API leaves out where it is 0.
    mutating func setCount(_ key: String, _ value: Int) { self[key] = value == 0 ? .null : JSON(value) }
}

extension Status {
    /// The namespace is terminating and takes nothing new.
    var isNamespaceTerminating: Bool { causes.contains { $0.reason == "NamespaceTerminating" } }
}
