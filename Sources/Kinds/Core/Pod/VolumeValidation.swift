import APIMachinery
import KubernetesModel

extension Validation {
    /// Names the volumes and returns them.
    mutating func volumes(_ list: JSON, _ path: String) -> Set<String> {
        var names: Set<String> = []
        for (index, volume) in list.items.enumerated() {
            let at = "\(path)[\(index)]"
            let name = volume["name"].string ?? ""
            if name.isEmpty {
                required("\(at).name")
            } else {
                invalid("\(at).name", .string(name), each: Names.label(name))
                if !names.insert(name).inserted { duplicate("\(at).name", .string(name)) }
            }
            let sources = (volume.object ?? [:]).keys.filter { $0 != "name" }.sorted()
            if sources.isEmpty { required(at, "must specify a volume type") }
            for source in sources.dropFirst() {
                forbidden("\(at).\(source)", "may not specify more than 1 volume type")
            }
            if let source = sources.first { self.volume(source, volume[source], "\(at).\(source)") }
        }
        return names
    }

    private mutating func volume(_ kind: String, _ source: JSON, _ path: String) {
        switch kind {
        case "secret": content(source, path, name: "secretName")
        case "configMap": content(source, path, name: "name")
        case "downwardAPI":
            mode(source["defaultMode"], "\(path).defaultMode")
            fieldItems(source["items"], "\(path).items")
        case "projected": projected(source, path)
        case "persistentVolumeClaim": filled(source["claimName"], "\(path).claimName")
        case "hostPath":
            filled(source["path"], "\(path).path")
            if source["path"].string?.split(separator: "/").contains("..") ?? false {
                invalid("\(path).path", source["path"], "must not contain '..'")
            }
            oneOf("\(path).type", source["type"], Self.hostPathTypes)
        case "emptyDir":
            if let limit = Quantity(source["sizeLimit"]), limit.isNegative {
                forbidden("\(path).sizeLimit", "SizeLimit field must be a valid resource quantity")
            }
        default: break
        }
    }

    private static let hostPathTypes = [
        "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
    ]

    private mutating func projected(_ volume: JSON, _ path: String) {
        mode(volume["defaultMode"], "\(path).defaultMode")
        for (index, source) in volume["sources"].items.enumerated() {
            let at = "\(path).sources[\(index)]"
            let kinds = (source.object ?? [:]).keys.sorted()
            if kinds.isEmpty { required(at, "must specify a projection type") }
            for kind in kinds.dropFirst() {
                forbidden("\(at).\(kind)", "may not specify more than 1 volume type")
            }
            for kind in ["secret", "configMap"] where !source[kind].isNull {
                content(source[kind], "\(at).\(kind)", name: "name")
            }
            fieldItems(source["downwardAPI"]["items"], "\(at).downwardAPI.items")
            let token = source["serviceAccountToken"]
            guard !token.isNull else { continue }
            if let fault = token["expirationSeconds"].int.flatMap(tokenLifetimeFault) {
                invalid("\(at).serviceAccountToken.expirationSeconds", token["expirationSeconds"], fault)
            }
            relativePath(token["path"], "\(at).serviceAccountToken.path", required: true)
        }
    }

    /// A Secret or a ConfigMap whose keys become files.
    private mutating func content(_ source: JSON, _ path: String, name: String) {
        filled(source[name], "\(path).\(name)")
        mode(source["defaultMode"], "\(path).defaultMode")
        for (index, item) in source["items"].items.enumerated() {
            let at = "\(path).items[\(index)]"
            filled(item["key"], "\(at).key")
            relativePath(item["path"], "\(at).path", required: true)
            mode(item["mode"], "\(at).mode")
        }
    }

    /// Fields of the pod that become files.
    private mutating func fieldItems(_ list: JSON, _ path: String) {
        for (index, item) in list.items.enumerated() {
            let at = "\(path)[\(index)]"
            relativePath(item["path"], "\(at).path", required: true)
            mode(item["mode"], "\(at).mode")
            switch (item["fieldRef"].isNull, item["resourceFieldRef"].isNull) {
            case (true, true): required(at, "one of fieldRef and resourceFieldRef is required")
            case (false, false):
                invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
            case (false, true): filled(item["fieldRef"]["fieldPath"], "\(at).fieldRef.fieldPath")
            case (true, false):
                filled(item["resourceFieldRef"]["containerName"], "\(at).resourceFieldRef.containerName")
                filled(item["resourceFieldRef"]["resource"], "\(at).resourceFieldRef.resource")
            }
        }
    }

    private mutating func filled(_ value: JSON, _ path: String) {
        if value.string?.isEmpty ?? true { required(path) }
    }

    private mutating func mode(_ value: JSON, _ path: String) {
        if let mode = value.int, !(0...0o777).contains(mode) {
            invalid(path, value, "must be a number between 0 and 0777 (octal), both inclusive")
        }
    }

    mutating func relativePath(_ value: JSON, _ path: String, required isRequired: Bool) {
        let text = value.string ?? ""
        if text.isEmpty {
            if isRequired { required(path) }
            return
        }
        if text.hasPrefix("/") { invalid(path, value, "must be a relative path") }
        if text.split(separator: "/").contains("..") { invalid(path, value, "must not contain '..'") }
    }
}
