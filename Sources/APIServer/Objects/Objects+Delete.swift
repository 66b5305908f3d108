import APIClient
import Kinds
import KubernetesModel
import Retrying
import Store

extension Objects {
    /// The outcome of a deletion.
    enum Deletion: Sendable {
        /// The object is gone; its last state.
        case removed(Object)
        /// The object stays until its finalizers are gone, or its node has stopped it.
        case began(Written)
    }

    /// - Parameter isAdmitted: whether the deletion has passed admission in another form (`Eviction`).
    func delete(
        _ request: ResourceRequest, name: String, _ options: DeleteOptions, isAdmitted: Bool = false,
        _ context: RequestContext
    ) async throws(Status) -> Deletion {
        let type = request.type
        let strategy = request.resource.strategy
        var context = context
        if options.dryRun { context.dryRun = true }
        var backoff = Backoff.overtaken
        while true {
            let current = try stored(type, namespace: request.namespace, name: name)
            let old = current.object
            try options.checkPreconditions(old, type)
            if !isAdmitted { try await admitDeletion(of: old, request, name, options, context) }
            var object = old
            Self.setPropagation(options.propagation, &object)
            let grace = strategy.gracePeriod(old, options.gracePeriodSeconds)
            let step = Self.step(&object, old: old, grace: grace, strategy)
            if context.dryRun { return step == .remove ? .removed(old) : .began(Written(draft: object)) }
            do {
                switch step {
                case .remove:
                    let last = try await write(type, object, expecting: .revision(current.revision), .delete)
                    await allocators[type]?.settle(last.object.key, as: nil)
                    return .removed(last.object)
                case .nothing:
                    return .began(Written(current))
                case .begin:
                    return .began(
                        Written(try await write(type, object, expecting: .revision(current.revision), .put(object))))
                }
            } catch .changed where backoff.failures < 200 {
                try? await Task.sleep(for: backoff.next())
            } catch {
                throw error.status(type, name)
            }
        }
    }

    private func admitDeletion(
        of object: Object, _ request: ResourceRequest, _ name: String, _ options: DeleteOptions,
        _ context: RequestContext
    ) async throws(Status) {
        var attended = object
        try await admission.mutate(
            &attended, old: object, .delete, request, name: name, deletion: options, context)
        try await admission.validate(object, old: object, .delete, request, name: name, deletion: options, context)
    }

    private enum Step {
        case remove, begin, nothing
    }

    /// Decides how a deletion proceeds, and marks the object if it has to wait.
    private static func step(_ object: inout Object, old: Object, grace: Int?, _ strategy: Strategy) -> Step {
        let seconds = grace ?? 0
        if old.isBeingDeleted {
            // The grace period of a deletion under way can only be shortened.
            let running = old.metadata["deletionGracePeriodSeconds"].int ?? 0
            if seconds < running, let deadline = old.deletionTimestamp {
                let begun = deadline.advanced(by: -Double(running))
                object.metadata["deletionTimestamp"] = .string(begun.advanced(by: Double(seconds)).description)
                object.metadata["deletionGracePeriodSeconds"] = JSON(seconds)
            }
        } else {
            object.metadata["deletionTimestamp"] = .string(Timestamp.now.advanced(by: Double(seconds)).description)
            object.metadata["deletionGracePeriodSeconds"] = JSON(seconds)
            if object.generation > 0 { object.metadata["generation"] = JSON(object.generation + 1) }
            strategy.prepareForDelete(&object)
        }
        if object.finalizers.isEmpty, !strategy.keeps(object) { return .remove }
        return object == old ? .nothing : .begin
    }

    private static func setPropagation(_ propagation: DeleteOptions.Propagation?, _ object: inout Object) {
        guard let propagation else { return }
        var finalizers = object.finalizers.filter { $0 != "orphan" && $0 != "foregroundDeletion" }
        switch propagation {
        case .orphan: finalizers.append("orphan")
        case .foreground: finalizers.append("foregroundDeletion")
        case .background: break
        }
        object.metadata["finalizers"] = finalizers.isEmpty ? .null : JSON(finalizers)
    }
}

extension DeleteOptions {
    /// - Throws: `Conflict` where the object's UID or resource version is not the precondition's.
    func checkPreconditions(_ object: Object, _ type: ResourceType) throws(Status) {
        if let uid, uid != object.uid {
            throw .conflict(
                type, object.name,
                "the UID in the precondition (\(uid)) does not match the UID in record (\(object.uid)). The object "
                    + "might have been deleted and then recreated")
        }
        if let version = resourceVersion, version != object.resourceVersion {
            throw .conflict(
                type, object.name,
                "the ResourceVersion in the precondition (\(version)) does not match the ResourceVersion in record "
                    + "(\(object.resourceVersion)). The object might have been modified")
        }
    }
}
