import APIMachinery
import KubernetesModel

extension Validation {
    mutating func container(_ container: JSON, _ path: String, volumes: Set<String>, isInit: Bool, gracePeriod: Int?) {
        let name = container["name"].string ?? ""
        if name.isEmpty {
            required("\(path).name")
        } else {
            invalid("\(path).name", .string(name), each: Names.label(name))
        }
        let image = container["image"].string ?? ""
        if image.isEmpty {
            required("\(path).image")
        } else if image.first?.isWhitespace == true || image.last?.isWhitespace == true {
            invalid("\(path).image", .string(image), "must not have leading or trailing whitespace")
        }
        oneOf(
            "\(path).imagePullPolicy", container["imagePullPolicy"], ["Always", "IfNotPresent", "Never"], required: true
        )
        oneOf(
            "\(path).terminationMessagePolicy", container["terminationMessagePolicy"],
            ["FallbackToLogsOnError", "File"], required: true)
        ports(container["ports"], "\(path).ports")
        environment(container["env"], "\(path).env")
        environmentSources(container["envFrom"], "\(path).envFrom")
        mounts(container["volumeMounts"], "\(path).volumeMounts", volumes: volumes)
        resources(container["resources"], "\(path).resources")
        securityContext(container["securityContext"], "\(path).securityContext")
        let isPlainInit = isInit && container["restartPolicy"] != "Always"
        if isInit { oneOf("\(path).restartPolicy", container["restartPolicy"], ["Always"]) }
        for field in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] where !container[field].isNull {
            if isPlainInit {
                forbidden("\(path).\(field)", "may not be set for init containers without restartPolicy=Always")
            } else if field == "lifecycle" {
                for hook in ["postStart", "preStop"] where !container[field][hook].isNull {
                    handler(
                        container[field][hook], "\(path).\(field).\(hook)", ["exec", "httpGet", "tcpSocket", "sleep"],
                        gracePeriod: gracePeriod)
                }
            } else {
                probe(container[field], "\(path).\(field)", isReadiness: field == "readinessProbe")
            }
        }
    }

    private mutating func ports(_ list: JSON, _ path: String) {
        var names: Set<String> = []
        for (index, port) in list.items.enumerated() {
            let at = "\(path)[\(index)]"
            if let name = port["name"].string, !name.isEmpty {
                let faults = Names.portName(name)
                invalid("\(at).name", .string(name), each: faults)
                if faults.isEmpty, !names.insert(name).inserted { duplicate("\(at).name", .string(name)) }
            }
            if let number = port["containerPort"].int, number != 0 {
                invalid("\(at).containerPort", JSON(number), each: Names.portNumber(number))
            } else {
                required("\(at).containerPort")
            }
            if let number = port["hostPort"].int, number != 0 {
                invalid("\(at).hostPort", JSON(number), each: Names.portNumber(number))
            }
            oneOf("\(at).protocol", port["protocol"], ["SCTP", "TCP", "UDP"], required: true)
        }
    }

    private static let sources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"]
    private static let fields = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs", "status.podIP", "status.podIPs",
    ]

    private mutating func environment(_ list: JSON, _ path: String) {
        for (index, variable) in list.items.enumerated() {
            let at = "\(path)[\(index)]"
            let name = variable["name"].string ?? ""
            if name.isEmpty {
                required("\(at).name")
            } else {
                invalid("\(at).name", .string(name), each: Names.environmentVariable(name))
            }
            let source = variable["valueFrom"]
            guard !source.isNull else { continue }
            let present = Self.sources.filter { !source[$0].isNull }
            if present.isEmpty {
                invalid(
                    "\(at).valueFrom", "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`")
            } else if present.count > 1 {
                invalid("\(at).valueFrom", "", "may not have more than one field specified at a time")
            } else if let value = variable["value"].string, !value.isEmpty {
                invalid("\(at).valueFrom", "", "may not be specified when `value` is not empty")
            }
            for sort in ["configMapKeyRef", "secretKeyRef"] where !source[sort].isNull {
                if source[sort]["key"].string?.isEmpty ?? true { required("\(at).valueFrom.\(sort).key") }
            }
            if !source["fieldRef"].isNull {
                fieldPath(source["fieldRef"]["fieldPath"], "\(at).valueFrom.fieldRef.fieldPath")
            }
        }
    }

    private mutating func fieldPath(_ value: JSON, _ path: String) {
        let text = value.string ?? ""
        if text.isEmpty { return required(path) }
        for prefix in ["metadata.labels['", "metadata.annotations['"]
        where text.hasPrefix(prefix) && text.hasSuffix("']") {
            return
        }
        oneOf(path, value, Self.fields)
    }

    private mutating func environmentSources(_ list: JSON, _ path: String) {
        for (index, source) in list.items.enumerated() {
            let present = ["configMapRef", "secretRef"].filter { !source[$0].isNull }
            if present.isEmpty {
                invalid("\(path)[\(index)]", "", "must specify one of: `configMapRef` or `secretRef`")
            } else if present.count > 1 {
                invalid("\(path)[\(index)]", "", "may not have more than one field specified at a time")
            } else if source[present[0]]["name"].string?.isEmpty ?? true {
                required("\(path)[\(index)].\(present[0]).name")
            }
        }
    }

    private mutating func mounts(_ list: JSON, _ path: String, volumes: Set<String>) {
        var places: Set<String> = []
        for (index, mount) in list.items.enumerated() {
            let at = "\(path)[\(index)]"
            let name = mount["name"].string ?? ""
            if name.isEmpty {
                required("\(at).name")
            } else if !volumes.contains(name) {
                add(FieldError(.notFound, "\(at).name", value: .string(name)))
            }
            let place = mount["mountPath"].string ?? ""
            if place.isEmpty {
                required("\(at).mountPath")
            } else if !places.insert(place).inserted {
                invalid("\(at).mountPath", .string(place), "must be unique")
            }
            relativePath(mount["subPath"], "\(at).subPath", required: false)
            oneOf("\(at).mountPropagation", mount["mountPropagation"], ["Bidirectional", "HostToContainer", "None"])
        }
    }

    private static let standardResources: Set<String> = ["cpu", "memory", "ephemeral-storage"]

    mutating func resources(_ resources: JSON, _ path: String) {
        let limits = resources["limits"].resourceList
        for list in ["limits", "requests"] {
            for (name, value) in resources[list].object?.sorted(by: { $0.key < $1.key }) ?? [] {
                let at = "\(path).\(list)[\(name)]"
                let isStandard = Self.standardResources.contains(name) || name.hasPrefix("hugepages-")
                if !isStandard {
                    invalid(at, .string(name), each: Names.qualifiedName(name))
                    if !name.contains("/") {
                        invalid(at, .string(name), "must be a standard resource type or fully qualified")
                        invalid(at, .string(name), "must be a standard resource for containers")
                    }
                }
                guard let quantity = Quantity(value) else { continue }
                if quantity.isNegative { invalid(at, value, "must be greater than or equal to 0") }
                if !isStandard, !quantity.isWhole { invalid(at, value, "must be an integer") }
                guard list == "requests", let limit = limits[name] else { continue }
                if isStandard, !name.hasPrefix("hugepages-") {
                    if quantity > limit {
                        invalid("\(path).requests", value, "must be less than or equal to \(name) limit of \(limit)")
                    }
                } else if quantity != limit {
                    invalid("\(path).requests", value, "must be equal to \(name) limit of \(limit)")
                }
            }
        }
    }

    private mutating func securityContext(_ context: JSON, _ path: String) {
        if context["allowPrivilegeEscalation"].bool == false, context["privileged"].bool == true {
            invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
        }
        for field in ["runAsUser", "runAsGroup"] { id(context[field], "\(path).\(field)") }
        seccompProfile(context["seccompProfile"], "\(path).seccompProfile")
    }

    private mutating func probe(_ probe: JSON, _ path: String, isReadiness: Bool) {
        handler(probe, path, ["exec", "httpGet", "tcpSocket", "grpc"])
        for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
        {
            notNegative("\(path).\(field)", probe[field])
        }
        if !isReadiness, let threshold = probe["successThreshold"].int, threshold != 1 {
            invalid("\(path).successThreshold", JSON(threshold), "must be 1")
        }
    }

    /// A probe's or hook's action, of which there must be exactly one.
    private mutating func handler(_ action: JSON, _ path: String, _ sorts: [String], gracePeriod: Int? = nil) {
        let present = sorts.filter { !action[$0].isNull }
        if present.isEmpty { required(path, "must specify a handler type") }
        for sort in present.dropFirst() {
            forbidden("\(path).\(sort)", "may not specify more than 1 handler type")
        }
        guard let sort = present.first else { return }
        let at = "\(path).\(sort)"
        switch sort {
        case "exec": if action[sort]["command"].items.isEmpty { required("\(at).command") }
        case "httpGet":
            if action[sort]["path"].string?.isEmpty ?? true { required("\(at).path") }
            port(action[sort]["port"], "\(at).port")
            oneOf("\(at).scheme", action[sort]["scheme"], ["HTTP", "HTTPS"])
        case "tcpSocket", "grpc": port(action[sort]["port"], "\(at).port")
        case "sleep":
            if let seconds = action[sort]["seconds"].int, let most = gracePeriod, !(0...max(0, most)).contains(seconds)
            {
                invalid(
                    at, JSON(seconds), "must be non-negative and less than terminationGracePeriodSeconds (\(most))")
            }
        default: break
        }
    }
}
