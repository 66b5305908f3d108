import KubernetesModel

enum ProbeKind: String, Sendable, Hashable, CaseIterable {
    case startup = "Startup"
    case readiness = "Readiness"
    case liveness = "Liveness"

    /// The container's field that configures it.
    var field: String {
        switch self {
        case .startup: "startupProbe"
        case .readiness: "readinessProbe"
        case .liveness: "livenessProbe"
        }
    }
}

/// A probe's result by its thresholds.
enum ProbeVerdict: Sendable, Equatable {
    case success
    /// `failureThreshold` failures in a row.
    case failure
}

/// How one attempt of a probe went.
enum ProbeResult: Sendable, Equatable {
    case success
    /// It counts as a success, of which there is something to report.
    case warning(String)
    case failure(String)

    var failure: String? { if case .failure(let text) = self { text } else { nil } }
}

/// A probe's timing fields, with their defaults.
struct ProbeTiming: Sendable, Equatable {
    var initialDelay: Double
    var period: Double
    var timeout: Double
    var successThreshold: Int
    var failureThreshold: Int

    init(_ probe: JSON) {
        // As numbers of 32 bits, which the API has them in; in nanoseconds they fit 64.
        func seconds(_ field: String, least: Int, default value: Int) -> Double {
            Double(min(max(least, probe[field].int ?? value), Int(Int32.max)))
        }
        initialDelay = seconds("initialDelaySeconds", least: 0, default: 0)
        period = seconds("periodSeconds", least: 1, default: 10)
        timeout = seconds("timeoutSeconds", least: 1, default: 1)
        successThreshold = max(1, probe["successThreshold"].int ?? 1)
        failureThreshold = max(1, probe["failureThreshold"].int ?? 3)
    }
}

/// When a probe runs next, and its result by its thresholds.
///
/// A server takes some milliseconds from its start to `listen`, and a period is a second at least. So, where no initial
/// delay is asked for, startup and readiness probes are made 2 ms after the start and then again whenever 30 % more time
/// has passed (twice as much for `exec`, which costs a process), until the period is over. A failure in this first
/// stretch does not count: it could only make a pod fail earlier than its fields say.
struct ProbeSchedule: Sendable, Equatable {
    let kind: ProbeKind
    let timing: ProbeTiming
    private var successes = 0
    private var failures = 0
    private var verdict: ProbeVerdict?
    /// In the first stretch.
    private var isQuick: Bool
    private let growth: Double

    private static let first = 0.002

    init(kind: ProbeKind, timing: ProbeTiming, isExec: Bool = false) {
        self.kind = kind
        self.timing = timing
        growth = isExec ? 1 : 0.3
        isQuick = timing.initialDelay == 0 && kind != .liveness
    }

    /// Seconds to the first probe of a container that has run for `elapsed` seconds.
    func firstDelay(afterRunning elapsed: Double) -> Double {
        isQuick ? Self.first : max(0, timing.initialDelay - elapsed)
    }

    struct Step: Sendable, Equatable {
        /// Seconds to the next probe; nil where none follows.
        var delay: Double?
        /// A verdict, where this result changed it.
        var verdict: ProbeVerdict?
        /// The failure is worth an event.
        var isReported: Bool
    }

    /// Takes a result.
    ///
    /// - Parameter elapsed: seconds since the probing began.
    mutating func record(success: Bool, elapsed: Double) -> Step {
        if success {
            isQuick = false
            failures = 0
            successes += 1
            let reached = successes >= timing.successThreshold
            let change = reached && verdict != .success
            if reached { verdict = .success }
            return Step(
                delay: kind == .startup && reached ? nil : timing.period, verdict: change ? .success : nil,
                isReported: false)
        }
        if isQuick, elapsed < timing.period {
            let delay = min(max(Self.first, elapsed * growth), max(Self.first, timing.period - elapsed))
            return Step(delay: delay, verdict: nil, isReported: false)
        }
        isQuick = false
        successes = 0
        failures += 1
        let reached = failures >= timing.failureThreshold
        // A liveness failure is reported again after the threshold, when the container could not be restarted before.
        let change = reached && verdict != .failure
        if reached { verdict = .failure }
        return Step(delay: timing.period, verdict: change ? .failure : nil, isReported: true)
    }
}
