import APIMachinery
import Addresses
import KubernetesModel

extension Validation {
    /// The addresses that a pod's status reports: endpoints and names are made of them.
    mutating func podAddresses(_ status: JSON) {
        var fields = [("status.podIP", status["podIP"]), ("status.hostIP", status["hostIP"])]
        for (list, name) in [("podIPs", "ip"), ("hostIPs", "ip")] {
            for (index, entry) in status[list].items.enumerated() {
                fields.append(("status.\(list)[\(index)].ip", entry[name]))
            }
        }
        for (path, value) in fields {
            guard let text = value.string, !text.isEmpty, IPAddress(text) == nil else { continue }
            invalid(path, value, Self.addressFault)
        }
    }

    /// A pod template's metadata and spec.
    mutating func podTemplate(_ template: JSON, _ path: String, claims: Set<String> = []) {
        labels(template["metadata"]["labels"], "\(path).labels")
        annotations(template["metadata"]["annotations"], "\(path).annotations")
        podSpec(template["spec"], "\(path).spec", claims: claims)
        if !template["spec"]["ephemeralContainers"].isNull {
            forbidden("\(path).spec.ephemeralContainers", "ephemeral containers not allowed in pod template")
        }
    }

    /// - Parameter claims: names of volumes that whoever makes the pod adds, in place of the spec's own of that name.
    mutating func podSpec(_ spec: JSON, _ path: String, claims: Set<String> = []) {
        let volumes = self.volumes(spec["volumes"], "\(path).volumes").union(claims)
        var names: Set<String> = []
        if spec["containers"].items.isEmpty { required("\(path).containers") }
        for (list, isInit) in [("containers", false), ("initContainers", true)] {
            for (index, container) in spec[list].items.enumerated() {
                let at = "\(path).\(list)[\(index)]"
                self.container(
                    container, at, volumes: volumes, isInit: isInit,
                    gracePeriod: spec["terminationGracePeriodSeconds"].int)
                if let name = container["name"].string, !name.isEmpty, !names.insert(name).inserted {
                    duplicate("\(at).name", .string(name))
                }
            }
        }
        ephemeralContainers(
            spec["ephemeralContainers"], "\(path).ephemeralContainers", volumes: volumes, others: names)
        podSecurityContext(spec["securityContext"], "\(path).securityContext", spec: spec)
        oneOf("\(path).restartPolicy", spec["restartPolicy"], ["Always", "OnFailure", "Never"], required: true)
        oneOf(
            "\(path).dnsPolicy", spec["dnsPolicy"], ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
            required: true)
        labels(spec["nodeSelector"], "\(path).nodeSelector")
        notNegative("\(path).terminationGracePeriodSeconds", spec["terminationGracePeriodSeconds"])
        if let seconds = spec["activeDeadlineSeconds"].int, !(1...2_147_483_647).contains(seconds) {
            invalid(
                "\(path).activeDeadlineSeconds", spec["activeDeadlineSeconds"],
                "must be between 1 and 2147483647, inclusive")
        }
        if let account = spec["serviceAccountName"].string, !account.isEmpty {
            invalid("\(path).serviceAccountName", .string(account), each: Names.subdomain(account))
        }
        if let node = spec["nodeName"].string, !node.isEmpty {
            invalid("\(path).nodeName", .string(node), each: Names.subdomain(node))
        }
        for field in ["hostname", "subdomain"] {
            if let name = spec[field].string, !name.isEmpty {
                invalid("\(path).\(field)", .string(name), each: Names.label(name))
            }
        }
        for (index, reference) in spec["imagePullSecrets"].items.enumerated()
        where reference["name"].string?.isEmpty ?? true {
            required("\(path).imagePullSecrets[\(index)].name")
        }
        tolerations(spec["tolerations"], "\(path).tolerations")
        spread(spec["topologySpreadConstraints"], "\(path).topologySpreadConstraints")
        affinity(spec["affinity"], "\(path).affinity")
        if spec["dnsPolicy"] == "None", spec["dnsConfig"]["nameservers"].items.isEmpty {
            required(
                "\(path).dnsConfig.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")
        }
        for (index, alias) in spec["hostAliases"].items.enumerated() where IPAddress(alias["ip"].string ?? "") == nil {
            invalid("\(path).hostAliases[\(index)].ip", alias["ip"], Self.addressFault)
        }
    }

    private mutating func tolerations(_ list: JSON, _ path: String) {
        for (index, toleration) in list.items.enumerated() {
            let at = "\(path)[\(index)]"
            let key = toleration["key"].string ?? ""
            if !key.isEmpty { invalid("\(at).key", .string(key), each: Names.qualifiedName(key)) }
            if key.isEmpty, toleration["operator"] != "Exists" {
                invalid(
                    "\(at).operator", toleration["operator"],
                    "operator must be Exists when `key` is empty, which means \"match all values and all keys\"")
            }
            if !toleration["tolerationSeconds"].isNull, toleration["effect"] != "NoExecute" {
                invalid(
                    "\(at).effect", toleration["effect"], "effect must be 'NoExecute' when `tolerationSeconds` is set")
            }
            switch toleration["operator"].string {
            case nil, "", "Equal":
                invalid("\(at).operator", toleration["value"], each: Names.labelValue(toleration["value"].string ?? ""))
            case "Exists":
                if let value = toleration["value"].string, !value.isEmpty {
                    invalid("\(at).operator", toleration.self, "value must be empty when `operator` is 'Exists'")
                }
            default: oneOf("\(at).operator", toleration["operator"], ["Equal", "Exists"])
            }
            oneOf("\(at).effect", toleration["effect"], ["NoSchedule", "PreferNoSchedule", "NoExecute"])
        }
    }

    private mutating func spread(_ list: JSON, _ path: String) {
        for (index, constraint) in list.items.enumerated() {
            let at = "\(path)[\(index)]"
            positive("\(at).maxSkew", constraint["maxSkew"].isNull ? 0 : constraint["maxSkew"])
            if constraint["topologyKey"].string?.isEmpty ?? true { required("\(at).topologyKey", "can not be empty") }
            oneOf(
                "\(at).whenUnsatisfiable", constraint["whenUnsatisfiable"], ["DoNotSchedule", "ScheduleAnyway"],
                required: true)
            selector(constraint["labelSelector"], "\(at).labelSelector")
        }
    }

    private mutating func affinity(_ affinity: JSON, _ path: String) {
        let hard = "requiredDuringSchedulingIgnoredDuringExecution"
        let soft = "preferredDuringSchedulingIgnoredDuringExecution"
        let node = affinity["nodeAffinity"]
        if !node[hard].isNull {
            let terms = node[hard]["nodeSelectorTerms"].items
            let at = "\(path).nodeAffinity.\(hard).nodeSelectorTerms"
            if terms.isEmpty { required(at, "must have at least one node selector term") }
            for (index, term) in terms.enumerated() { nodeTerm(term, "\(at)[\(index)]") }
        }
        for (index, preference) in node[soft].items.enumerated() {
            let at = "\(path).nodeAffinity.\(soft)[\(index)]"
            weight(preference, at)
            nodeTerm(preference["preference"], "\(at).preference")
        }
        for name in ["podAffinity", "podAntiAffinity"] {
            for (index, term) in affinity[name][hard].items.enumerated() {
                podTerm(term, "\(path).\(name).\(hard)[\(index)]")
            }
            for (index, preference) in affinity[name][soft].items.enumerated() {
                let at = "\(path).\(name).\(soft)[\(index)]"
                weight(preference, at)
                podTerm(preference["podAffinityTerm"], "\(at).podAffinityTerm")
            }
        }
    }

    private mutating func weight(_ preference: JSON, _ path: String) {
        if !(1...100).contains(preference["weight"].int ?? 0) {
            invalid("\(path).weight", JSON(preference["weight"].int ?? 0), "must be in the range 1-100")
        }
    }

    private mutating func nodeTerm(_ term: JSON, _ path: String) {
        for (index, expression) in term["matchExpressions"].items.enumerated() {
            requirement(expression, "\(path).matchExpressions[\(index)]", comparing: true)
        }
    }

    private mutating func podTerm(_ term: JSON, _ path: String) {
        if term["topologyKey"].string?.isEmpty ?? true { required("\(path).topologyKey", "can not be empty") }
        selector(term["labelSelector"], "\(path).labelSelector")
    }
}
