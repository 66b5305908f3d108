extension ResourceInfo {
    /// Fills in what Kubernetes fills in where a request leaves it out.
    ///
    /// Idempotent. It does not decide what only the API server knows (names, addresses, uids).
    public func applyDefaults(_ object: inout Object) {
        if isCustom {
            schema.applyDefaults(&object.json)
            return
        }
        Defaulting.apply(&object, type)
        applyStatusDefaults(&object)
    }

    /// An object that has a status is never without one; its counters begin at zero, and what is to be found out at no.
    public func applyStatusDefaults(_ object: inout Object) {
        guard !isCustom, subresource("status") != nil, let status = schema.properties["status"]?.resolved else {
            return
        }
        var filled = object.status.object ?? [:]
        for name in status.required where filled[name] == nil {
            switch status.properties[name]?.type {
            case .integer: filled[name] = 0
            case .boolean: filled[name] = false
            default: break
            }
        }
        if type.group.isEmpty, type.kind == "Service", filled["loadBalancer"] == nil { filled["loadBalancer"] = [:] }
        object.status = .object(filled)
    }
}

extension Schema {
    /// A custom resource's defaults: absent members, and nulls where null is not allowed, become `default`.
    public func applyDefaults(_ value: inout JSON) {
        let schema = resolved
        switch value {
        case .object(var members):
            value = .null
            for (name, field) in schema.properties {
                if let preset = field.defaultValue,
                    members[name] == nil || (members[name] == .null && !field.isNullable)
                {
                    members[name] = preset
                }
                if members[name] != nil { field.applyDefaults(&members[name, default: .null]) }
            }
            if let additional = schema.additionalProperties {
                for name in members.keys where schema.properties[name] == nil {
                    additional.applyDefaults(&members[name, default: .null])
                }
            }
            value = .object(members)
        case .array(var elements):
            guard let items = schema.items else { return }
            value = .null
            for index in elements.indices { items.applyDefaults(&elements[index]) }
            value = .array(elements)
        default: break
        }
    }
}

extension JSON {
    /// Sets an absent or empty member.
    mutating func fill(_ name: String, _ value: JSON) {
        switch self[name] {
        case .null, .string(""): self[name] = value
        default: break
        }
    }

    /// Sets an absent member or one that is 0: Go's zero of a field that is no pointer.
    mutating func fill(zero name: String, _ value: JSON) {
        switch self[name] {
        case .null, .integer(0): self[name] = value
        default: break
        }
    }

    /// Changes a member that is there.
    mutating func change(_ name: String, _ body: (inout JSON) -> Void) {
        guard !self[name].isNull else { return }
        body(&self[name])
    }

    /// Changes each element of an array member.
    mutating func changeEach(_ name: String, _ body: (inout JSON) -> Void) {
        guard case .array(var elements) = self[name] else { return }
        for index in elements.indices { body(&elements[index]) }
        self[name] = .array(elements)
    }
}

/// The defaults of built-in kinds.
enum Defaulting {
    static func apply(_ object: inout Object, _ type: ResourceType) {
        switch (type.group, type.kind) {
        case ("", "Pod"): pod(&object)
        case ("", "PodTemplate"): object.json.change("template") { podTemplate(&$0) }
        case ("", "ReplicationController"): replicationController(&object)
        case ("", "Service"): service(&object)
        case ("apps", "Deployment"): deployment(&object)
        case ("apps", "ReplicaSet"): replicaSet(&object)
        case ("apps", "StatefulSet"): statefulSet(&object)
        case ("apps", "DaemonSet"): daemonSet(&object)
        case ("batch", "Job"): job(&object)
        case ("batch", "CronJob"): cronJob(&object)
        default: applyOther(&object, type)
        }
    }
}
