import APIMachinery
import KubernetesModel

extension Validation {
    mutating func ingress(_ spec: JSON) {
        if spec["rules"].items.isEmpty, spec["defaultBackend"].isNull {
            invalid("spec", spec, "either `defaultBackend` or `rules` must be specified")
        }
        if !spec["defaultBackend"].isNull { backend(spec["defaultBackend"], "spec.defaultBackend") }
        for (index, rule) in spec["rules"].items.enumerated() {
            let at = "spec.rules[\(index)]"
            if let host = rule["host"].string, !host.isEmpty {
                let name = host.hasPrefix("*.") ? String(host.dropFirst(2)) : host
                invalid("\(at).host", .string(host), each: Names.subdomain(name))
            }
            guard !rule["http"].isNull else { continue }
            if rule["http"]["paths"].items.isEmpty { required("\(at).http.paths") }
            for (position, path) in rule["http"]["paths"].items.enumerated() {
                ingressPath(path, "\(at).http.paths[\(position)]")
            }
        }
    }

    private mutating func ingressPath(_ path: JSON, _ at: String) {
        let text = path["path"].string ?? ""
        if path["pathType"].isNull {
            required("\(at).pathType", "pathType must be specified")
        } else {
            oneOf("\(at).pathType", path["pathType"], ["Exact", "ImplementationSpecific", "Prefix"])
        }
        let isFree = path["pathType"] == "ImplementationSpecific" && text.isEmpty
        if !isFree, !text.hasPrefix("/") { invalid("\(at).path", .string(text), "must be an absolute path") }
        backend(path["backend"], "\(at).backend")
    }

    private mutating func backend(_ backend: JSON, _ path: String) {
        let service = backend["service"]
        guard !service.isNull else {
            if backend["resource"].isNull { required(path, "cannot be empty") }
            return
        }
        let name = service["name"].string ?? ""
        if name.isEmpty {
            required("\(path).service.name")
        } else {
            invalid("\(path).service.name", .string(name), each: Names.label1035(name))
        }
        let port = service["port"]
        if port["name"].isNull, port["number"].isNull || port["number"] == 0 {
            required(path, "port name or number is required")
        } else if let number = port["number"].int, number != 0 {
            invalid("\(path).service.port.number", JSON(number), each: Names.portNumber(number))
        }
    }
}
