import Addresses
import KubernetesModel

/// What a node declares of itself: a file of `nodes/`.
public struct NodeShape: Sendable, Hashable {
    /// Resource names and quantities, as in a Node's `status.capacity`: cpu, memory, pods, ephemeral-storage.
    public var capacity: [String: String]
    public var labels: [String: String]
    /// Each with `key`, `effect` and perhaps `value`, as in a Node's `spec.taints`.
    public var taints: [JSON]
    /// The value of the label `topology.kubernetes.io/zone`; nil for none.
    public var zone: String?
    /// Kernel parameters that pods may set though they could harm others; as the kubelet's field of that name.
    public var allowedUnsafeSysctls: [SysctlPattern] = []
    /// How many processes and threads a pod may have, as the kubelet's field of that name: -1 for any number. nil: by the
    /// node's CPUs (`podProcesses`).
    public var podPidsLimit: Int?
    /// Paths that containers on the image `host` do not see, beside those that hold secrets on most machines.
    public var hostHide: [String] = []
    /// Paths that they see though they hold secrets on most machines.
    public var hostShow: [String] = []

    public init(
        capacity: [String: String] = [:], labels: [String: String] = [:], taints: [JSON] = [], zone: String? = nil
    ) {
        self.capacity = Self.standard.merging(capacity) { $1 }
        self.labels = labels
        self.taints = taints
        self.zone = zone
    }

    /// The capacity of a node whose shape says nothing; the same as `nodes/default.yaml`.
    public static let standard = ["cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "40Gi"]

    /// How many processes and threads a pod may have; nil for any number. More than programs need that use a node of
    /// that many CPUs well, and few enough for the machine to bear.
    public var podProcesses: Int? {
        if let podPidsLimit { return podPidsLimit < 0 ? nil : podPidsLimit }
        let cpus = capacity["cpu"].flatMap { Quantity($0) }?.value ?? 1
        return 1024 * min(max(cpus, 1), 16)
    }

    /// A fault in a shape's file: which file, which field, what is wrong and what to write instead.
    public struct ReadingError: Error, Sendable, Hashable, CustomStringConvertible {
        public let file: String
        public let field: String
        public let problem: String

        public var description: String { field.isEmpty ? "\(file): \(problem)" : "\(file): \(field): \(problem)" }
    }

    /// Reads a shape from YAML text; `file` is what errors name.
    public init(yaml text: String, file: String) throws(ReadingError) {
        let document: JSON
        do {
            document = try JSON(yaml: text)
        } catch {
            throw ReadingError(file: file, field: "", problem: "this is no YAML: \(error)")
        }
        try self.init(document, file: file)
        // Of more pods the last would wait for an address for ever.
        let most = AddressPlan.podNumbers.count
        guard let pods = capacity["pods"].flatMap({ Quantity($0) })?.value, pods > most else { return }
        throw ReadingError(
            file: file, field: "capacity.pods",
            problem: "a node has addresses for \(most) pods; write at most \(most), and start more nodes (--nodes)")
    }

    /// Reads a shape from its JSON form, the one that `json` gives.
    public init(_ document: JSON, file: String) throws(ReadingError) {
        func fault(_ field: String, _ problem: String) -> ReadingError {
            ReadingError(file: file, field: field, problem: problem)
        }
        guard let fields = document.object else {
            throw fault("", "expected a mapping with \(Self.fields.joined(separator: ", "))")
        }
        let known = Self.fields
        if let unknown = fields.keys.sorted().first(where: { !known.contains($0) }) {
            throw fault(unknown, "unknown field; a node shape has \(known.joined(separator: ", "))")
        }
        func texts(_ field: String) throws(ReadingError) -> [String: String] {
            guard let value = fields[field], !value.isNull else { return [:] }
            guard let members = value.object else { throw fault(field, "expected a mapping of names to values") }
            var result: [String: String] = [:]
            for (key, member) in members {
                switch member {
                case .string(let text): result[key] = text
                case .integer, .double: result[key] = member.description
                default: throw fault("\(field).\(key)", "expected a text or a number")
                }
            }
            return result
        }
        let capacity = try texts("capacity")
        for (name, text) in capacity.sorted(by: { $0.key < $1.key }) {
            // Other resources are somebody's own, and carry their domain: example.com/gpu.
            let isKnown = Self.standard[name] != nil || name.hasPrefix("hugepages-")
            guard isKnown || (name.contains("/") && Names.qualifiedName(name).isEmpty) else {
                throw fault(
                    "capacity.\(name)",
                    "unknown resource; there are \(Self.standard.keys.sorted().joined(separator: ", ")), hugepages-SIZE and "
                        + "your own as domain/name")
            }
            guard let quantity = Quantity(text), !quantity.isNegative else {
                throw fault(
                    "capacity.\(name)", "\"\(text)\" is no quantity of 0 or more; write one such as 500m, 4 or 8Gi")
            }
        }
        let labels = try texts("labels")
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            if let problem = (Names.qualifiedName(name) + Names.labelValue(value)).first {
                throw fault("labels.\(name)", problem)
            }
        }
        var taints: [JSON] = []
        if let value = fields["taints"], !value.isNull {
            guard let list = value.array else { throw fault("taints", "expected a list of key, value, effect") }
            let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"]
            for (index, taint) in list.enumerated() {
                guard let key = taint["key"].string, !key.isEmpty else {
                    throw fault("taints[\(index)].key", "required: the taint's name")
                }
                if let problem = Names.qualifiedName(key).first { throw fault("taints[\(index)].key", problem) }
                if let problem = Names.labelValue(taint["value"].string ?? "").first {
                    throw fault("taints[\(index)].value", problem)
                }
                guard let effect = taint["effect"].string, effects.contains(effect) else {
                    throw fault("taints[\(index)].effect", "must be one of \(effects.joined(separator: ", "))")
                }
                taints.append(taint)
            }
        }
        var zone: String?
        if let value = fields["zone"], !value.isNull {
            guard let text = value.string, Names.labelValue(text).isEmpty else {
                throw fault("zone", "expected a text of letters, digits and inner dashes, dots and underscores")
            }
            zone = text
        }
        func list(_ field: String) throws(ReadingError) -> [String] {
            guard let value = fields[field], !value.isNull else { return [] }
            guard let items = value.array else { throw fault(field, "expected a list of texts") }
            return try items.enumerated().map { index, item throws(ReadingError) in
                guard let text = item.string else { throw fault("\(field)[\(index)]", "expected a text") }
                return text
            }
        }
        self.init(capacity: capacity, labels: labels, taints: taints, zone: zone)
        for (index, text) in try list("allowedUnsafeSysctls").enumerated() {
            guard let pattern = SysctlPattern(text) else {
                throw fault(
                    "allowedUnsafeSysctls[\(index)]",
                    "\"\(text)\" is not known to be namespaced; there are kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.* "
                        + "and net.*")
            }
            allowedUnsafeSysctls.append(pattern)
        }
        if let value = fields["podPidsLimit"], !value.isNull {
            guard let limit = value.int, limit == -1 || (1...4_194_304).contains(limit) else {
                throw fault("podPidsLimit", "expected a number of processes from 1 to 4194304, or -1 for any number")
            }
            podPidsLimit = limit
        }
        hostHide = try Self.paths(list("hostHide")) { fault("hostHide[\($0)]", $1) }
        hostShow = try Self.paths(list("hostShow")) { fault("hostShow[\($0)]", $1) }
    }

    private static let fields = [
        "capacity", "labels", "taints", "zone", "allowedUnsafeSysctls", "podPidsLimit", "hostHide", "hostShow",
    ]

    /// Checks paths of the machine: absolute, and not the root itself.
    private static func paths(
        _ paths: [String], fault: (Int, String) -> ReadingError
    ) throws(ReadingError) -> [String] {
        for (index, path) in paths.enumerated() {
            if let problem = hostPathProblem(path) { throw fault(index, problem) }
        }
        return paths
    }

    /// What is wrong with a path that is to be hidden or shown; nil for nothing.
    public static func hostPathProblem(_ path: String) -> String? {
        let parts = path.split(separator: "/")
        return path.hasPrefix("/") && !parts.isEmpty && !parts.contains("..")
            ? nil
            : "\"\(path)\" is no path to hide or show; write an absolute one below / without .., such as /srv/keys"
    }

    /// The shape with the fields of its file.
    public var json: JSON {
        var json: JSON = [
            "capacity": JSON(capacity), "labels": JSON(labels), "taints": .array(taints),
        ]
        if let zone { json["zone"] = .string(zone) }
        if !allowedUnsafeSysctls.isEmpty { json["allowedUnsafeSysctls"] = JSON(allowedUnsafeSysctls.map(\.text)) }
        if let podPidsLimit { json["podPidsLimit"] = JSON(podPidsLimit) }
        if !hostHide.isEmpty { json["hostHide"] = JSON(hostHide) }
        if !hostShow.isEmpty { json["hostShow"] = JSON(hostShow) }
        return json
    }
}
