import APIMachinery
import KubernetesModel
import Store

extension Objects {
    /// Creates an object from what a client sent.
    func create(_ request: ResourceRequest, _ sent: Object, _ context: RequestContext) async throws(Status) -> Written {
        let type = request.type
        var object = sent
        try Self.checkType(of: &object, type)
        try Self.checkNamespace(of: &object, request)
        if !object.resourceVersion.isEmpty {
            throw .badRequest("resourceVersion should not be set on objects to be created")
        }
        let base = object.metadata["generateName"].string ?? ""
        let generated = object.name.isEmpty && !base.isEmpty
        if generated { object.metadata["name"] = .string(Identifiers.generatedName(base)) }
        Self.stripServerFields(&object)

        try fieldRules(&object, request, context)
        try await admission.mutate(&object, .create, request, name: object.name, context)
        let strategy = request.resource.strategy
        let allocator = allocators[type]
        object.metadata["uid"] = .string(Identifiers.uuid())
        object.metadata["creationTimestamp"] = .string(Timestamp.now.description)
        if strategy.countsGenerations { object.metadata["generation"] = 1 }
        strategy.prepareForCreate(&object)
        try await allocator?.allocate(for: &object, old: nil)
        // Clients read counts before a controller has written the first status.
        request.resource.applyStatusDefaults(&object)

        do {
            let errors = request.resource.validateCreate(object)
            guard errors.isEmpty else { throw Status.invalid(type, object.name, errors) }
            try await admission.validate(object, .create, request, name: object.name, context)
            guard !context.dryRun else {
                if self.object(type, namespace: object.namespace, name: object.name) != nil {
                    throw Status.alreadyExists(type, object.name)
                }
                await allocator?.settle(object.key, as: nil)
                return Written(draft: object, created: true)
            }
            var attempts = 0
            while true {
                do {
                    return Written(try await write(type, object, expecting: .absent, .put(object)), created: true)
                } catch .exists where generated && attempts < 8 {
                    attempts += 1
                    object.metadata["name"] = .string(Identifiers.generatedName(base))
                } catch {
                    throw error.status(type, object.name)
                }
            }
        } catch {
            await allocator?.settle(object.key, as: nil)
            throw (error as? Status) ?? .internalError("\(error)")
        }
    }

    /// Prunes or rejects what the schema does not know, and sets the schema's defaults.
    func fieldRules(_ object: inout Object, _ request: ResourceRequest, _ context: RequestContext) throws(Status) {
        let decoded = try StructuralDecoding(
            object.json, as: request.resource.info, duplicateFields: context.duplicateFields)
        switch context.fieldValidation {
        case .ignore: break
        case .warn: for text in decoded.warnings { context.warnings.add(text) }
        case .strict: if let status = decoded.strictError(request.resource.info) { throw status }
        }
        object = decoded.object
        request.resource.applyDefaults(&object)
    }

    /// Checks that an object has the path's type, and sets it where the object has none.
    static func checkType(of object: inout Object, _ type: ResourceType) throws(Status) {
        if object.apiVersion.isEmpty { object["apiVersion"] = .string(type.apiVersion) }
        if object.kind.isEmpty { object["kind"] = .string(type.kind) }
        if object.apiVersion != type.apiVersion {
            throw .badRequest(
                "the API version in the data (\(object.apiVersion)) does not match the expected API version "
                    + "(\(type.apiVersion))")
        }
        if object.kind != type.kind {
            throw .badRequest(
                "\(object.kind) in version \"\(type.version)\" cannot be handled as a \(type.kind): no kind "
                    + "\"\(object.kind)\" is registered for version \"\(type.apiVersion)\"")
        }
        if object.metadata.object == nil { object.metadata = [:] }
    }

    static func checkNamespace(of object: inout Object, _ request: ResourceRequest) throws(Status) {
        guard request.type.namespaced else {
            object.metadata["namespace"] = .null
            return
        }
        guard let namespace = request.namespace, !namespace.isEmpty else {
            throw .badRequest("an empty namespace may not be set during creation")
        }
        if object.namespace.isEmpty { object.metadata["namespace"] = .string(namespace) }
        if object.namespace != namespace {
            throw .badRequest(
                "the namespace of the provided object does not match the namespace sent on the request")
        }
    }

    /// Removes the metadata that only the server sets.
    static func stripServerFields(_ object: inout Object) {
        for field in [
            "managedFields", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion", "uid",
            "creationTimestamp", "generation",
        ] {
            object.metadata[field] = .null
        }
    }
}
