import Kinds
import KubernetesModel
import Store

/// The generic part of every kind: what create, get, list, update, patch, delete and watch do to the store.
///
/// What is true of one kind is in its `Kind`; what its objects hold besides is for its `Allocator`.
struct Objects: Sendable {
    let store: any Store
    let catalogue: Catalogue
    let allocators: Allocators
    let admission: AdmissionChain

    /// - Throws: `NotFound`.
    func stored(_ type: ResourceType, namespace: String?, name: String) throws(Status) -> StoredObject {
        guard let stored = store.get(type.storeKey(namespace: namespace, name: name)) else {
            throw .notFound(type, name)
        }
        return stored
    }

    /// An object by its key, or nil.
    func object(_ type: ResourceType, namespace: String? = nil, name: String) -> Object? {
        store.object(type, namespace: namespace, name: name)
    }

    /// Writes to the store, in the kind's storage version.
    func write(
        _ type: ResourceType, _ object: Object, expecting expectation: Expectation, _ change: StoreChange
    ) async throws(WriteError) -> StoredObject {
        let key = type.storeKey(namespace: object.namespace, name: object.name)
        var change = change
        if case .put(let object) = change, let kept = catalogue.kind(type)?.storedAs, kept != type {
            change = .put(converted(object, to: kept))
        }
        do {
            return try await store.write(key, expecting: expectation, change)
        } catch .alreadyExists {
            throw .exists
        } catch .conflict {
            throw .changed
        } catch .notFound {
            throw .gone
        } catch {
            throw .failed(.internalError(error.description))
        }
    }

    enum WriteError: Error {
        case exists, changed, gone
        case failed(Status)

        func status(_ type: ResourceType, _ name: String) -> Status {
            switch self {
            case .exists: .alreadyExists(type, name)
            case .changed: .conflict(type, name)
            case .gone: .notFound(type, name)
            case .failed(let status): status
            }
        }
    }

    /// A stored object in the requested version.
    func converted(_ object: Object, to type: ResourceType) -> Object {
        guard object.apiVersion != type.apiVersion, let kind = catalogue.kind(type) else { return object }
        return kind.converted(object)
    }
}

/// The outcome of a write.
struct Written: Sendable {
    enum Form: Sendable {
        case stored(StoredObject)
        /// A dry run's.
        case draft(Object)
    }

    let form: Form
    var created = false

    init(_ stored: StoredObject, created: Bool = false) {
        form = .stored(stored)
        self.created = created
    }

    init(draft: Object, created: Bool = false) {
        form = .draft(draft)
        self.created = created
    }

    var object: Object {
        switch form {
        case .stored(let stored): stored.object
        case .draft(let object): object
        }
    }
}
