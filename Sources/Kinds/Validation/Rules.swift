import APIMachinery
import KubernetesModel

extension ResourceInfo {
    /// What is wrong with an object that is to be created, after defaulting. The paths, reasons and texts are those of
    /// Kubernetes.
    public func validateCreate(_ object: Object) -> [FieldError] {
        var validation = Validation()
        validation.metadata(object, self)
        if isCustom {
            validation.schema(object.json, schema)
        } else {
            validation.kind(object, type)
            validation.create(object, type)
        }
        return validation.errors
    }

    /// What is wrong with the new state of an object.
    public func validateUpdate(_ object: Object, old: Object) -> [FieldError] {
        var validation = Validation()
        validation.metadata(object, self)
        validation.metadataUpdate(object, old: old)
        if isCustom {
            validation.schema(object.json, schema)
        } else {
            validation.kind(object, type)
            validation.update(object, old: old, type)
        }
        return validation.errors
    }

    /// What is wrong with the new status of an object.
    public func validateStatusUpdate(_ object: Object, old: Object) -> [FieldError] {
        var validation = Validation()
        if isCustom {
            validation.schema(object.json, schema)
        } else {
            validation.status(object, type)
        }
        return validation.errors
    }
}

extension Validation {
    mutating func kind(_ object: Object, _ type: ResourceType) {
        switch (type.group, type.kind) {
        case ("", "Pod"): pod(object)
        case ("", "PodTemplate"): podTemplate(object["template"], "template")
        case ("apps", _), ("", "ReplicationController"), ("batch", _): workload(object, type)
        case ("", "Service"), ("", "Endpoints"), ("discovery.k8s.io", _), ("networking.k8s.io", _):
            network(object, type)
        case ("", "ConfigMap"), ("", "Secret"): data(object, type)
        case ("", "PersistentVolume"), ("", "PersistentVolumeClaim"), ("storage.k8s.io", _): storage(object, type)
        case ("rbac.authorization.k8s.io", _): roles(object, type)
        case ("apiextensions.k8s.io", _): customResourceDefinition(object)
        default: other(object, type)
        }
    }

    mutating func create(_ object: Object, _ type: ResourceType) {
        switch (type.group, type.kind) {
        case ("", "Pod"): podCreate(object)
        default: break
        }
    }

    mutating func update(_ object: Object, old: Object, _ type: ResourceType) {
        switch (type.group, type.kind) {
        case ("", "Pod"): podUpdate(object, old: old)
        case ("apps", _), ("batch", _): workloadUpdate(object, old: old, type)
        case ("", "Service"): serviceUpdate(object, old: old)
        case ("", "ConfigMap"), ("", "Secret"): dataUpdate(object, old: old, type)
        case ("", "PersistentVolumeClaim"), ("storage.k8s.io", "StorageClass"): storageUpdate(object, old: old, type)
        case ("rbac.authorization.k8s.io", "RoleBinding"), ("rbac.authorization.k8s.io", "ClusterRoleBinding"):
            if object["roleRef"] != old["roleRef"] { invalid("roleRef", object["roleRef"], "cannot change roleRef") }
        case ("discovery.k8s.io", "EndpointSlice"):
            immutable("addressType", object["addressType"], old: old["addressType"])
        case ("scheduling.k8s.io", "PriorityClass"):
            if object["value"] != old["value"] { forbidden("value", "may not be changed in an update.") }
        default: break
        }
    }

    mutating func status(_ object: Object, _ type: ResourceType) {
        switch (type.group, type.kind) {
        case ("apps", _), ("", "ReplicationController"): workloadStatus(object)
        case ("", "Node"): node(object)
        default: break
        }
    }
}
