import APIClient
import KubernetesModel

extension Client {
    /// Makes `status` the status of `object`, also where `object` is an old copy: each status has just one writer.
    ///
    /// Does nothing where it is so already, or where the object is gone.
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
    /// The namespace is going away and takes nothing new.
    var isNamespaceTerminating: Bool { causes.contains { $0.reason == "NamespaceTerminating" } }
}
