import KubernetesModel

/// Secrets may be written in plain text, but are kept and read in Base64.
struct SecretStrategy: Strategy {
    func prepareForCreate(_ object: inout Object, _ context: RequestContext) async throws(Status) {
        guard let plain = object["stringData"].object else { return }
        for (key, value) in plain {
            object["data"][key] = .string(Base64.encode(Array((value.string ?? "").utf8)))
        }
        object["stringData"] = .null
    }

    func prepareForUpdate(_ object: inout Object, old: Object, _ context: RequestContext) async throws(Status) {
        try await prepareForCreate(&object, context)
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
