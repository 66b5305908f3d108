import KubernetesModel

/// Which system calls a container may make, as an OCI runtime's configuration and engines' profiles say it
/// (seccomp(2)).
struct SeccompProfile: Sendable, Hashable {
    enum Action: Sendable, Hashable {
        case allow, log, trap, killThread, killProcess
        /// The call fails with this errno.
        case error(UInt16)
    }

    enum Operator: String, Sendable, Hashable {
        case notEqual = "SCMP_CMP_NE"
        case less = "SCMP_CMP_LT"
        case lessOrEqual = "SCMP_CMP_LE"
        case equal = "SCMP_CMP_EQ"
        case greaterOrEqual = "SCMP_CMP_GE"
        case greater = "SCMP_CMP_GT"
        /// The argument and `first` are `second`.
        case maskedEqual = "SCMP_CMP_MASKED_EQ"
    }

    struct Comparison: Sendable, Hashable {
        let index: Int
        let comparison: Operator
        let first: UInt64
        let second: UInt64

        init(index: Int, _ comparison: Operator, _ first: UInt64, _ second: UInt64 = 0) {
            self.index = index
            self.comparison = comparison
            self.first = first
            self.second = second
        }
    }

    struct Rule: Sendable, Hashable {
        let names: [String]
        let action: Action
        /// All must hold.
        let comparisons: [Comparison]

        init(_ names: [String], _ action: Action, _ comparisons: [Comparison] = []) {
            self.names = names
            self.action = action
            self.comparisons = comparisons
        }
    }

    let defaultAction: Action
    let rules: [Rule]
}

/// What is wrong with a profile.
struct SeccompError: Error, Equatable, CustomStringConvertible {
    let description: String
}

extension SeccompProfile {
    /// Reads the form that Docker, containerd and CRI-O take.
    ///
    /// - Parameter capabilities: the container's, for rules that ask for some (`includes`, `excludes`).
    init(_ json: JSON, capabilities: Capabilities) throws(SeccompError) {
        guard json.object != nil else { throw SeccompError(description: "a seccomp profile is a JSON object") }
        for field in ["listenerPath", "listenerMetadata"] where !json[field].isNull {
            throw SeccompError(description: "\(field) is not supported: this node has no agent that is asked")
        }
        defaultAction = try Self.action(json, "defaultAction", errno: "defaultErrnoRet", at: "")
        var rules: [Rule] = []
        for (index, item) in json["syscalls"].items.enumerated() {
            let at = "syscalls[\(index)]."
            if !Self.applies(item, capabilities) { continue }
            let names = item["names"].strings + [item["name"].string].compactMap(\.self)
            if names.isEmpty { throw SeccompError(description: "\(at)names: required") }
            let comparisons = try item["args"].items.enumerated().map { place, argument throws(SeccompError) in
                try Self.comparison(argument, at: "\(at)args[\(place)].")
            }
            let action = try Self.action(item, "action", errno: "errnoRet", at: at)
            // Several comparisons of one argument are alternatives, for the kernel's library takes one of each.
            if Set(comparisons.map(\.index)).count < comparisons.count {
                rules += comparisons.map { Rule(names, action, [$0]) }
            } else {
                rules.append(Rule(names, action, comparisons))
            }
        }
        self.rules = rules
    }

    private static func action(
        _ json: JSON, _ field: String, errno: String, at path: String
    ) throws(SeccompError) -> Action {
        switch json[field].string {
        case "SCMP_ACT_ALLOW": return .allow
        case "SCMP_ACT_LOG": return .log
        case "SCMP_ACT_TRAP": return .trap
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": return .killThread
        case "SCMP_ACT_KILL_PROCESS": return .killProcess
        case "SCMP_ACT_ERRNO":
            let number = json[errno].int ?? 1
            guard let number = UInt16(exactly: number), number < 4096 else {
                throw SeccompError(description: "\(path)\(errno): \(number) is no errno")
            }
            return .error(number)
        case let other:
            throw SeccompError(
                description: "\(path)\(field): \"\(other ?? "")\" is no action of this node; there are SCMP_ACT_ALLOW, "
                    + "SCMP_ACT_ERRNO, SCMP_ACT_LOG, SCMP_ACT_TRAP, SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS")
        }
    }

    private static func comparison(_ json: JSON, at path: String) throws(SeccompError) -> Comparison {
        guard let index = json["index"].int, (0..<6).contains(index) else {
            throw SeccompError(description: "\(path)index: a system call has arguments 0 to 5")
        }
        guard let comparison = json["op"].string.flatMap(Operator.init(rawValue:)) else {
            throw SeccompError(description: "\(path)op: \"\(json["op"].string ?? "")\" is no comparison")
        }
        let values = ["value", "valueTwo"].map { UInt64(bitPattern: Int64(json[$0].int ?? 0)) }
        return Comparison(index: index, comparison, values[0], values[1])
    }

    /// Whether a rule is for this machine and a container with these capabilities.
    private static func applies(_ rule: JSON, _ capabilities: Capabilities) -> Bool {
        let (includes, excludes) = (rule["includes"], rule["excludes"])
        let wanted = includes["caps"].strings + rule["caps"].strings
        if !wanted.allSatisfy(capabilities.contains) || excludes["caps"].strings.contains(where: capabilities.contains)
        {
            return false
        }
        let arches = includes["arches"].strings
        return (arches.isEmpty || arches.contains(architecture)) && !excludes["arches"].strings.contains(architecture)
    }

    #if arch(x86_64)
        private static let architecture = "amd64"
    #else
        private static let architecture = "arm64"
    #endif
}
