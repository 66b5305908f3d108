import KubernetesModel

/// The status that a pod has in the API.
extension PodStateMachine {
    var phase: String {
        if hasFailed { return "Failed" }
        let mains = containers.filter { $0.role == .main }
        let initials = containers.filter { $0.role == .initial }
        let policy = pod.spec["restartPolicy"].string ?? "Always"
        if !isInitialized {
            let failed = initials.contains { ($0.latestEnd?.exitCode ?? 0) != 0 }
            if failed && policy == "Never" { return "Failed" }
            return mains.contains { $0.run != nil && $0.latestEnd != nil } ? "Running" : "Pending"
        }
        // A container that has never run keeps the pod Pending, whatever the others do (the kubelet's getPhase).
        if mains.contains(where: { !$0.isRunning && $0.latestEnd == nil }) { return "Pending" }
        if mains.contains(where: \.isRunning) { return "Running" }
        let failed = mains.filter { $0.latestEnd?.exitCode != 0 }.count
        switch policy {
        case "Always": return stage == .active ? "Running" : ended(failed)
        case "OnFailure": return failed == 0 ? "Succeeded" : stage == .active ? "Running" : "Failed"
        default: return ended(failed)
        }
    }

    /// The node has ended the pod: not before its last container has ended, too.
    private var hasFailed: Bool { failure != nil && !containers.contains { $0.isRunning || $0.isStarting } }

    private func ended(_ failed: Int) -> String { failed == 0 ? "Succeeded" : "Failed" }

    var isTerminal: Bool { phase == "Failed" || phase == "Succeeded" }

    mutating func restoreConditions() {
        for condition in pod.conditions {
            conditions[condition.type] = (condition.isTrue, condition.lastTransitionTime ?? startTime)
        }
    }

    /// The status as the agent sees it, to be merged into the pod's.
    mutating func status(hostAddress: String, now: Timestamp) -> JSON {
        let phase = phase
        let hostNetwork = pod.spec["hostNetwork"].bool ?? false
        var status: JSON = [
            "phase": .string(phase), "startTime": .string(startTime.description),
            "qosClass": .string(Pod(pod).qosClass.rawValue), "hostIP": .string(hostAddress),
            "hostIPs": [["ip": .string(hostAddress)]],
        ]
        if let address = hostNetwork && sandbox == .done ? hostAddress : address {
            status["podIP"] = .string(address)
            status["podIPs"] = [["ip": .string(address)]]
        }
        if let failure, hasFailed {
            status["reason"] = .string(failure.reason)
            status["message"] = .string(failure.message)
        }
        for (field, roles) in [
            ("initContainerStatuses", [ContainerRecord.Role.initial, .sidecar]), ("containerStatuses", [.main]),
            ("ephemeralContainerStatuses", [.ephemeral]),
        ] {
            let records = containers.filter { roles.contains($0.role) }
            if !records.isEmpty, failure == nil || records.contains(where: { $0.run != nil }) {
                status[field] = .array(records.map(containerStatus))
            }
        }
        status["conditions"] = .array(conditions(phase: phase, now: now))
        return status
    }

    private func containerStatus(_ record: ContainerRecord) -> JSON {
        var json = record.status
        if record.isRunning { json["containerID"] = .string(record.id(podUID: uid).apiID) }
        return json
    }

    private mutating func conditions(phase: String, now: Timestamp) -> [JSON] {
        let mains = containers.filter { $0.role == .main || $0.role == .sidecar }
        let unready = mains.filter { !$0.isReady }.map(\.name)
        let incomplete = containers.filter {
            switch $0.role {
            case .initial: $0.latestEnd?.exitCode != 0
            case .sidecar: !$0.isStarted
            case .main, .ephemeral: false
            }
        }.map(\.name)
        let terminal: String? = phase == "Succeeded" ? "PodCompleted" : phase == "Failed" ? "PodFailed" : nil
        let containersReady = unready.isEmpty && terminal == nil
        let gates = pod.spec["readinessGates"].items.compactMap { $0["conditionType"].string }
        let shut = gates.filter { gate in
            !pod.status["conditions"].items.contains { $0["type"].string == gate && $0["status"].string == "True" }
        }
        let unreadyMessage = "containers with unready status: [\(unready.joined(separator: " "))]"
        let unreadyReason = terminal ?? (containersReady ? nil : "ContainersNotReady")
        let isSandboxUp = sandbox == .done && terminal == nil && stage != .concluding
        let initialized = isInitialized || incomplete.isEmpty || phase == "Succeeded"

        var list = [
            condition("PodReadyToStartContainers", isSandboxUp, now: now),
            condition(
                "Initialized", initialized,
                reason: phase == "Succeeded" ? "PodCompleted" : initialized ? nil : "ContainersNotInitialized",
                message: initialized
                    ? nil : "containers with incomplete status: [\(incomplete.joined(separator: " "))]", now: now),
        ]
        if containersReady && !shut.isEmpty {
            let texts = shut.map { gate in
                let known = pod.status["conditions"].items.first { $0["type"].string == gate }?["status"].string
                return known.map { "the status of pod readiness gate \"\(gate)\" is not \"True\", but \($0)" }
                    ?? "corresponding condition of pod readiness gate \"\(gate)\" does not exist."
            }
            list.append(
                condition(
                    "Ready", false, reason: "ReadinessGatesNotReady", message: texts.joined(separator: ", "), now: now))
        } else {
            list.append(
                condition(
                    "Ready", containersReady, reason: unreadyReason,
                    message: unreadyReason == "ContainersNotReady" ? unreadyMessage : nil, now: now))
        }
        list.append(
            condition(
                "ContainersReady", containersReady, reason: unreadyReason,
                message: unreadyReason == "ContainersNotReady" ? unreadyMessage : nil, now: now))
        list.append(condition("PodScheduled", true, now: now))
        if let failure, failure.reason == Self.evicted {
            list.append(
                condition(
                    "DisruptionTarget", true, reason: "TerminationByKubelet", message: failure.message, now: now))
        }
        return list
    }

    private mutating func condition(
        _ type: String, _ value: Bool, reason: String? = nil, message: String? = nil, now: Timestamp
    ) -> JSON {
        if conditions[type]?.status != value { conditions[type] = (value, now) }
        var condition = Condition(type, value, reason: reason ?? "", message: message ?? "")
        condition.lastTransitionTime = conditions[type]?.since ?? now
        return condition.patch
    }
}
