import KubernetesModel

/// What controllers ask about a pod.
extension Object {
    var phase: String { status["phase"].string ?? "" }
    var nodeName: String { spec["nodeName"].string ?? "" }
    var hasEnded: Bool { phase == "Succeeded" || phase == "Failed" }
    /// Whether it counts among the replicas of its owner.
    var isActivePod: Bool { !hasEnded && !isBeingDeleted }

    var isReadyPod: Bool { isConditionTrue("Ready") }
    var readySince: Timestamp? { condition("Ready")?.lastTransitionTime }

    /// Seconds until the pod has been ready for `minReadySeconds`; 0 or less when it is available, nil when not ready.
    func secondsToAvailable(minReadySeconds: Int, now: Timestamp) -> Double? {
        guard isReadyPod else { return nil }
        guard minReadySeconds > 0 else { return 0 }
        guard let readySince else { return nil }
        return Double(minReadySeconds) - now.since(readySince)
    }

    func isAvailablePod(minReadySeconds: Int, now: Timestamp) -> Bool {
        secondsToAvailable(minReadySeconds: minReadySeconds, now: now).map { $0 <= 0 } ?? false
    }

    var podAddresses: [String] {
        let all = status["podIPs"].items.compactMap { $0["ip"].string }
        return all.isEmpty ? status["podIP"].string.map { [$0] } ?? [] : all
    }
}
