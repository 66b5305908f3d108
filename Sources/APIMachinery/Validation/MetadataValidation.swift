import KubernetesModel

extension Validation {
    /// `metadata` of any object.
    package mutating func metadata(_ object: Object, _ type: ResourceType, name rule: (String) -> [String]) {
        let metadata = object.metadata
        if let base = metadata["generateName"].string, !base.isEmpty {
            // A suffix follows, so that the base may end with a dash.
            let masked = base.hasSuffix("-") ? base.dropLast() + "a" : base[...]
            invalid("metadata.generateName", .string(base), each: rule(String(masked)))
        }
        if object.name.isEmpty {
            required("metadata.name", "name or generateName is required")
        } else {
            invalid("metadata.name", .string(object.name), each: rule(object.name))
        }
        if type.namespaced {
            if object.namespace.isEmpty {
                required("metadata.namespace")
            } else {
                invalid("metadata.namespace", .string(object.namespace), each: Names.label(object.namespace))
            }
        } else if !object.namespace.isEmpty {
            forbidden("metadata.namespace", "not allowed on this type")
        }
        labels(metadata["labels"], "metadata.labels")
        annotations(metadata["annotations"], "metadata.annotations")
        owners(metadata["ownerReferences"])
        finalizers(metadata["finalizers"])
    }

    package mutating func labels(_ labels: JSON, _ path: String) {
        for (key, value) in labels.object?.sorted(by: { $0.key < $1.key }) ?? [] {
            invalid(path, .string(key), each: Names.qualifiedName(key))
            invalid(path, value, each: Names.labelValue(value.string ?? ""))
        }
    }

    package mutating func annotations(_ annotations: JSON, _ path: String) {
        var size = 0
        for (key, value) in annotations.object?.sorted(by: { $0.key < $1.key }) ?? [] {
            invalid(path, .string(key), each: Names.qualifiedName(key.lowercased()))
            size += key.utf8.count + (value.string?.utf8.count ?? 0)
        }
        if size > 262_144 {
            add(FieldError(.tooLong, path, detail: "may not be more than 262144 bytes"))
        }
    }

    private mutating func owners(_ references: JSON) {
        let path = "metadata.ownerReferences"
        var controllers: [String] = []
        for reference in references.items {
            for name in ["apiVersion", "kind", "name", "uid"] where reference[name].string?.isEmpty ?? true {
                invalid(
                    "\(path).\(name)", reference[name],
                    name == "apiVersion" ? "version must not be empty" : "must not be empty")
            }
            if reference["controller"].bool == true { controllers.append(reference["name"].string ?? "") }
        }
        if controllers.count > 1 {
            invalid(
                path, references,
                "Only one reference can have Controller set to true. Found \"true\" in references for \(controllers[0]) and "
                    + controllers[1])
        }
    }

    private mutating func finalizers(_ names: JSON) {
        for name in names.strings {
            let faults = Names.qualifiedName(name)
            invalid("metadata.finalizers", .string(name), each: faults)
            let isStandard = ["kubernetes", "orphan", "foregroundDeletion"].contains(name)
            if faults.isEmpty, !name.contains("/"), !isStandard {
                invalid(
                    "metadata.finalizers", .string(name),
                    "name is neither a standard finalizer name nor is it fully qualified")
            }
        }
    }

    /// What of `metadata` no update may change.
    package mutating func metadataUpdate(_ object: Object, old: Object) {
        for name in ["name", "namespace", "uid", "creationTimestamp"] {
            let value = object.metadata[name]
            guard !value.isNull else { continue }
            immutable("metadata.\(name)", value, old: old.metadata[name])
        }
        guard old.isBeingDeleted else { return }
        let added = Set(object.finalizers).subtracting(old.finalizers).sorted()
        if !added.isEmpty {
            forbidden(
                "metadata.finalizers",
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{"
                    + added.map { "\"\($0)\"" }.joined(separator: ", ") + "}")
        }
    }

    /// A `meta/v1 LabelSelector`.
    package mutating func selector(_ selector: JSON, _ path: String) {
        labels(selector["matchLabels"], "\(path).matchLabels")
        for (index, expression) in selector["matchExpressions"].items.enumerated() {
            let at = "\(path).matchExpressions[\(index)]"
            requirement(expression, at)
            for (position, value) in expression["values"].strings.enumerated() {
                invalid("\(at).values[\(position)]", .string(value), each: Names.labelValue(value))
            }
        }
    }

    /// The key, the operator and the number of values of one requirement on labels.
    package mutating func requirement(_ expression: JSON, _ path: String, comparing: Bool = false) {
        let values = expression["values"].items
        switch expression["operator"].string {
        case "In", "NotIn":
            if values.isEmpty { required("\(path).values", "must be specified when `operator` is 'In' or 'NotIn'") }
        case "Exists", "DoesNotExist":
            if !values.isEmpty {
                forbidden("\(path).values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
            }
        case "Gt" where comparing, "Lt" where comparing:
            if values.count != 1 {
                required("\(path).values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
            }
        default: invalid("\(path).operator", expression["operator"], "not a valid selector operator")
        }
        let key = expression["key"].string ?? ""
        invalid("\(path).key", .string(key), each: Names.qualifiedName(key))
    }
}
