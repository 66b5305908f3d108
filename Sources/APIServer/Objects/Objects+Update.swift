import KubernetesModel
import Retrying
import Store

extension Backoff {
    /// Before a write that another one overtook is tried again.
    static let overtaken = Backoff(first: .microseconds(200), max: .milliseconds(5))
}

extension Objects {
    /// Which part of an object an update may change.
    enum Part: Sendable {
        case main
        case status
        /// The containers that are added to a running pod, which no other update may touch.
        case ephemeralContainers
        /// Everything: what the server itself changes for a subresource such as `binding`. Not validated.
        case all
    }

    /// Updates an object: `change` makes the new state from the current one, and again after each conflict.
    ///
    /// A `resourceVersion` that is not the current one, or a `uid` that is not the object's, is a conflict.
    ///
    /// - Parameter isAdmitted: whether the change has passed admission in another form (`Binding`, `Scale`).
    func update(
        _ request: ResourceRequest, name: String, part: Part, isAdmitted: Bool = false, _ context: RequestContext,
        _ change: (Object) async throws(Status) -> Object
    ) async throws(Status) -> Written {
        let type = request.type
        var backoff = Backoff.overtaken
        while true {
            let current = try stored(type, namespace: request.namespace, name: name)
            let old = converted(current.object, to: type)
            var object = try await change(old)
            try Self.checkType(of: &object, type)
            if object.name.isEmpty { object.metadata["name"] = .string(name) }
            guard object.name == name else {
                throw .badRequest(
                    "the name of the object (\(object.name)) does not match the name on the URL (\(name))")
            }
            if type.namespaced { try Self.checkNamespace(of: &object, request) }
            let version = object.resourceVersion
            guard version.isEmpty || version == "0" || version == String(current.revision) else {
                throw .conflict(type, name)
            }
            if !object.uid.isEmpty, object.uid != old.uid {
                throw .conflict(
                    type, name,
                    "Precondition failed: UID in precondition: \(object.uid), UID in object meta: \(old.uid)")
            }
            do {
                return try await replace(current, old: old, with: object, part, isAdmitted, request, context)
            } catch .changed where backoff.failures < 200 {
                // Another write came first: retry. A client that named a version gets its conflict from the check
                // above. The other write is visible only once it is on disk.
                try? await Task.sleep(for: backoff.next())
            } catch {
                throw error.status(type, name)
            }
        }
    }

    private func replace(
        _ current: StoredObject, old: Object, with sent: Object, _ part: Part, _ isAdmitted: Bool,
        _ request: ResourceRequest, _ context: RequestContext
    ) async throws(WriteError) -> Written {
        let type = request.type
        let allocator = allocators[type]
        var object = sent
        do {
            object = try await prepared(sent, old: old, part, isAdmitted, request, context)
        } catch {
            throw .failed(error)
        }
        object.metadata["resourceVersion"] = old.metadata["resourceVersion"]
        if object == old { return Written(current) }
        if context.dryRun {
            await allocator?.settle(object.key, as: old)
            return Written(draft: object)
        }
        do {
            let isOver = object.isBeingDeleted && object.finalizers.isEmpty && !request.resource.strategy.keeps(object)
            guard isOver else {
                let stored = try await write(type, object, expecting: .revision(current.revision), .put(object))
                if part == .main { await allocator?.settle(object.key, as: object) }
                return Written(stored)
            }
            let deleted = try await write(type, object, expecting: .revision(current.revision), .delete)
            await allocator?.settle(object.key, as: nil)
            return Written(deleted)
        } catch {
            await allocator?.settle(object.key, as: old)
            throw error
        }
    }

    /// The new state as it is stored: what the client may not change stays.
    private func prepared(
        _ sent: Object, old: Object, _ part: Part, _ isAdmitted: Bool, _ request: ResourceRequest,
        _ context: RequestContext
    ) async throws(Status) -> Object {
        let type = request.type
        let strategy = request.resource.strategy
        var object = sent
        try fieldRules(&object, request, context)
        if !isAdmitted {
            try await admission.mutate(&object, old: old, .update, request, name: old.name, context)
        }
        switch part {
        case .status:
            var whole = old
            whole.status = object.status
            whole.json["metadata"] = Self.metadata(object, old: old, keeping: strategy.metadataKeptByStatus)
            object = whole
        case .ephemeralContainers:
            var whole = old
            whole.spec["ephemeralContainers"] = object.spec["ephemeralContainers"]
            object = whole
        case .main, .all:
            object.json["metadata"] = Self.metadata(object, old: old)
            if part == .main {
                if request.resource.subresource("status") != nil { object.status = old.status }
                strategy.prepareForUpdate(&object, old)
                try await allocators[type]?.allocate(for: &object, old: old)
            }
        }
        // The server's own changes, such as binding a pod to its node, do not change the desired state.
        if strategy.countsGenerations, part == .main || part == .ephemeralContainers,
            Self.desired(object) != Self.desired(old)
        {
            object.metadata["generation"] = JSON(old.generation + 1)
        }
        let errors: [FieldError]
        switch part {
        case .main:
            errors = request.resource.validateUpdate(object, old: old)
        case .status: errors = request.resource.validateUpdate(object, old: old, subresource: "status")
        case .ephemeralContainers:
            errors = request.resource.validateUpdate(object, old: old, subresource: "ephemeralcontainers")
        case .all: errors = []
        }
        guard errors.isEmpty else { throw Status.invalid(type, object.name, errors) }
        if !isAdmitted {
            try await admission.validate(object, old: old, .update, request, name: old.name, context)
        }
        return object
    }

    private static let serverMetadata = [
        "uid", "creationTimestamp", "generation", "generateName", "namespace", "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ]

    /// The new metadata, with what no client changes, and with `kept`, as it was.
    private static func metadata(_ object: Object, old: Object, keeping kept: Set<String> = []) -> JSON {
        var metadata = object.metadata
        for field in serverMetadata + kept { metadata[field] = old.metadata[field] }
        metadata["managedFields"] = .null
        metadata["selfLink"] = .null
        return metadata
    }

    /// The desired state: all but metadata and status.
    private static func desired(_ object: Object) -> JSON {
        var json = object.json
        json["metadata"] = .null
        json["status"] = .null
        return json
    }
}
