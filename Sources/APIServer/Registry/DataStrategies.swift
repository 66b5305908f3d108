import KubernetesModel

/// ConfigMaps and Secrets, whose data stays as it is once they are marked `immutable`.
struct ImmutableDataStrategy: Strategy {
    let type: ResourceType

    func prepareForCreate(_ object: inout Object, _ context: RequestContext) async throws(Status) {
        guard type == .secrets, let plain = object["stringData"].object else { return }
        for (key, value) in plain {
            object["data"][key] = .string(Base64.encode(Array((value.string ?? "").utf8)))
        }
        object["stringData"] = .null
    }

    func prepareForUpdate(_ object: inout Object, old: Object, _ context: RequestContext) async throws(Status) {
        try await prepareForCreate(&object, context)
    }

    func validateUpdate(_ object: Object, old: Object) -> [FieldError] {
        var errors: [FieldError] = []
        if type == .secrets, object["type"] != old["type"] {
            errors.append(FieldError(.invalid, "type", value: object["type"], detail: "field is immutable"))
        }
        guard old["immutable"].bool == true else { return errors }
        if object["immutable"].bool != true {
            errors.append(
                FieldError(.forbidden, "immutable", detail: "field is immutable when `immutable` is set"))
        }
        for field in ["data", "binaryData"] where object[field] != old[field] {
            errors.append(FieldError(.forbidden, field, detail: "field is immutable when `immutable` is set"))
        }
        return errors
    }
}

/// Claims begin unbound.
struct ClaimStrategy: Strategy {
    func prepareForCreate(_ object: inout Object, _ context: RequestContext) async throws(Status) {
        object.status = ["phase": "Pending"]
    }
    var returnsDeletedObject: Bool { true }
}

/// Volumes begin unbound.
struct VolumeStrategy: Strategy {
    func prepareForCreate(_ object: inout Object, _ context: RequestContext) async throws(Status) {
        object.status = ["phase": "Pending"]
    }
    var returnsDeletedObject: Bool { true }
}

/// Nodes register with their status, so it is kept at creation.
struct NodeStrategy: Strategy {
    func prepareForUpdate(_ object: inout Object, old: Object, _ context: RequestContext) async throws(Status) {
        // Once given, a node's pod addresses stay.
        for field in ["podCIDR", "podCIDRs", "providerID"] where !old.spec[field].isNull {
            object.spec[field] = old.spec[field]
        }
    }
}
