import ClusterLayout
import Glibc
import Linux
import Logging
import Retrying

/// One process of the cluster: how to start it, and what is known of it.
struct ComponentSpecification: Sendable {
    var name: String
    /// The program's path, then its arguments.
    var arguments: [String]
    /// The program that enters namespaces, and the process whose network and mount namespaces it enters; nil for this
    /// process's own.
    var inside: (initializer: String, pid: pid_t)?
    /// `NAME=value`, in addition to the supervisor's own environment.
    var environment: [String] = []
    /// Sockets that it inherits (`LISTEN_FDS`), with their names.
    var sockets: [(name: String, descriptor: SharedDescriptor)] = []
    /// Nil for `/dev/null`.
    var standardInput: SharedDescriptor?
    /// Sends READY=1; otherwise it counts as ready once it runs.
    var notifies = true
    /// How long it may go without WATCHDOG=1; one that hangs longer is killed and started again.
    /// Nil for one that never says that it works.
    var watchdog: Duration? = .seconds(60)
    /// What people are shown of it until it says something itself.
    var status = ""

    /// All that is to be executed.
    var command: [String] {
        guard let inside else { return arguments }
        return [inside.initializer, "enter", "--pid", "\(inside.pid)", "--net", "--mnt", "--await-go", "--"] + arguments
    }

    /// Starts it and writes down its process. It blocks.
    func launch(_ paths: ClusterPaths) throws -> ProcessIdentity {
        let log = try Files.openLog(paths.log(name))
        var environment = Component.ownEnvironment
        environment +=
            self.environment + [
                "NOTIFY_SOCKET=\(paths.notifySocket)",
                "\(OpenFileLimit.variable)=\(OpenFileLimit.inherited.soft)",
            ]
        if let watchdog { environment.append("WATCHDOG_USEC=\(Int(watchdog / .microseconds(1)))") }
        var descriptors: [(own: SharedDescriptor, child: Int32)] = [(log, 1), (log, 2)]
        if let standardInput { descriptors.append((standardInput, 0)) }
        if !sockets.isEmpty {
            // martlet-init writes the pid, which is not known here, over the digits.
            environment.append("LISTEN_PID=0000000000")
            environment.append("LISTEN_FDS=\(sockets.count)")
            environment.append("LISTEN_FDNAMES=\(sockets.map(\.name).joined(separator: ":"))")
            for (index, socket) in sockets.enumerated() { descriptors.append((socket.descriptor, 3 + Int32(index))) }
        }
        // The program that enters waits for a word: a process that is not written down when this one dies ends then.
        let (awaited, go) = try makePipe()
        // Open here too until the end: writing to a pipe that nobody reads would be a signal.
        defer { awaited.close() }
        if inside != nil { descriptors.append((awaited, 0)) }
        let pid = try Spawn(command, environment: environment, descriptors: descriptors, newSession: true).start()
        let process = ProcessIdentity(pid: pid) ?? ProcessIdentity(pid: pid, startTime: 0)
        do {
            try Files.write(Array(process.description.utf8), to: paths.pidFile(name))
        } catch {
            // Nobody would find it again.
            process.signal(SIGKILL)
            throw error
        }
        // Where it is gone already, its end is noticed as any other's.
        if inside != nil { try? go.write([1]) }
        return process
    }
}

/// Runs one component: starts or adopts it, waits for its end, starts it again with growing delays.
actor Component {
    /// What a person is shown.
    struct Report: Sendable {
        var name: String
        var state: String
        var pid: Int32?
        var restarts: Int
        var status: String
    }

    private enum State: Equatable {
        case idle
        case starting(ProcessIdentity)
        case ready(ProcessIdentity)
        case waiting(until: ContinuousClock.Instant)
        case stopped
        /// It ended before it was ever ready.
        case failed(String)

        var process: ProcessIdentity? {
            switch self {
            case .starting(let process), .ready(let process): process
            case .idle, .waiting, .stopped, .failed: nil
            }
        }
    }

    let name: String
    private var specification: ComponentSpecification
    private let paths: ClusterPaths
    private let logger: Logger
    private var state = State.idle
    private var restarts = 0
    private var status = ""
    private var everReady = false
    private var stopping = false
    private var backoff = Backoff.component
    /// When the present process last said that it works. Time that the machine sleeps does not count.
    private var lastSign = SuspendingClock.now
    /// Where in its log the present process's words begin.
    private var logStart = 0
    private var task: Task<Void, Never>?
    /// The start that is under way.
    private var launch: Task<Void, any Error>?
    private var readinessWaiters: [CheckedContinuation<Void, any Error>] = []
    private let pause: @Sendable (Duration) async throws -> Void

    /// - Parameter pause: waits between an end and the next start.
    init(
        _ specification: ComponentSpecification, paths: ClusterPaths, logger: Logger,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.pause = pause
        name = specification.name
        self.specification = specification
        self.paths = paths
        self.logger = logger
    }

    /// Adopts the component that a dead supervisor left running, or starts one, and keeps it running from then on.
    func start() async throws {
        let adopted = (try Files.text(paths.pidFile(name))).flatMap(ProcessIdentity.init(_:))
        if let adopted, adopted.isRunning {
            logger.info("adopted \(name), pid \(adopted.pid)")
            everReady = true
            lastSign = .now
            status = specification.status
            state = .ready(adopted)
        } else {
            try await spawn()
        }
        task = Task { await self.supervise() }
    }

    /// Returns when the component has been ready once.
    ///
    /// - Throws: `SupervisorError.component` where it ended before that.
    func waitUntilReady() async throws {
        if everReady { return }
        if case .failed(let problem) = state { throw failure(problem) }
        if stopping { throw failure("was stopped") }
        try await withCheckedThrowingContinuation { readinessWaiters.append($0) }
    }

    /// Asks the component to end, insists after `grace`, and returns when it has ended.
    func stop(grace: Duration = .seconds(5)) async {
        stopping = true
        _ = await launch?.result
        let last = state.process
        if let process = last {
            process.signal(SIGTERM)
            let killer = Task {
                try await Task.sleep(for: grace)
                process.signal(SIGKILL)
            }
            await process.waitForEnd()
            killer.cancel()
        }
        task?.cancel()
        await task?.value
        task = nil
        // One that was started just now, whose end nobody has looked at.
        if let last { _ = ExitStatus.reap(last.pid) }
        state = .stopped
        giveUp("was stopped")
        unlink(paths.pidFile(name))
    }

    /// Takes a message that the component sent to the notify socket; false where it came from some other process.
    func receive(pid: Int32, _ assignments: [String: String]) async -> Bool {
        // It may speak before it is known here that it was started.
        _ = await launch?.result
        guard state.process?.pid == pid else { return false }
        if let text = assignments["STATUS"] { status = text }
        if assignments["READY"] == "1", case .starting(let process) = state { becomeReady(process) }
        if assignments["WATCHDOG"] == "1" { lastSign = .now }
        return true
    }

    var isReady: Bool { if case .ready = state { true } else { false } }

    var pid: Int32? { state.process?.pid }

    var isStopping: Bool { stopping }

    func report() -> Report {
        let word =
            switch state {
            case .idle: "Pending"
            case .starting: "Starting"
            case .ready: "Ready"
            case .waiting: "BackOff"
            case .stopped: "Stopped"
            case .failed: "Failed"
            }
        return Report(name: name, state: word, pid: state.process?.pid, restarts: restarts, status: status)
    }

    /// From its next start on, the component is started in the namespaces of another process.
    func moveInside(_ pid: pid_t) { specification.inside?.pid = pid }

    /// Tells those who wait for it that it will not be ready.
    private func giveUp(_ problem: String) {
        for waiter in readinessWaiters { waiter.resume(throwing: failure(problem)) }
        readinessWaiters = []
    }

    private func failure(_ problem: String) -> SupervisorError {
        .component(
            name: name, problem: problem, lastWords: Files.tail(paths.log(name), lines: 8, from: logStart),
            log: paths.log(name))
    }

    private func becomeReady(_ process: ProcessIdentity) {
        state = .ready(process)
        everReady = true
        for waiter in readinessWaiters { waiter.resume() }
        readinessWaiters = []
    }

    /// The supervisor's environment without what a service manager set for that process alone.
    static var ownEnvironment: [String] {
        Spawn.ownEnvironment.filter { variable in
            !["NOTIFY_SOCKET=", "LISTEN_", "WATCHDOG_", "\(OpenFileLimit.variable)="].contains {
                variable.hasPrefix($0)
            }
        }
    }

    private func spawn() async throws {
        let (specification, paths) = (specification, paths)
        let launch = Task {
            let (process, logStart) = try await Blocking.run { () throws -> (ProcessIdentity, Int) in
                let logStart = Files.size(paths.log(specification.name))
                return (try specification.launch(paths), logStart)
            }
            begin(process, logStart)
        }
        self.launch = launch
        defer { self.launch = nil }
        try await launch.value
    }

    private func begin(_ process: ProcessIdentity, _ logStart: Int) {
        self.logStart = logStart
        logger.info("started \(name), pid \(process.pid)")
        status = specification.status
        lastSign = .now
        if specification.notifies { state = .starting(process) } else { becomeReady(process) }
    }

    private func supervise() async {
        while !stopping, let process = state.process {
            let started = ContinuousClock.now
            await untilEnd(of: process)
            let exit = ExitStatus.reap(process.pid)
            if stopping { return }
            let how = exit.map(String.init(describing:)) ?? "has ended"
            guard everReady else {
                state = .failed(how)
                return giveUp(how)
            }
            logger.warning("\(name), pid \(process.pid), \(how)")
            await startAgain(after: backoff.next(afterRunning: .now - started))
        }
    }

    /// Waits for a process to end, and ends it where it gives no sign of life any more.
    private func untilEnd(of process: ProcessIdentity) async {
        let guardian = Task { await self.killOnceSilent(process) }
        await process.waitForEnd()
        guardian.cancel()
        await guardian.value
    }

    private func killOnceSilent(_ process: ProcessIdentity) async {
        guard let watchdog = specification.watchdog else { return }
        while !Task.isCancelled {
            let deadline = lastSign + watchdog
            if deadline <= .now {
                logger.error("\(name), pid \(process.pid), gave no sign of life for \(watchdog)")
                process.signal(SIGKILL)
                return
            }
            try? await Task.sleep(until: deadline, clock: .suspending)
        }
    }

    private func startAgain(after first: Duration) async {
        var delay = first
        while !stopping {
            if delay > .zero {
                state = .waiting(until: .now + delay)
                do { try await pause(delay) } catch { return }
                // It may have been stopped while the pause was over, but not yet known to be.
                if stopping { return }
            }
            restarts += 1
            do {
                return try await spawn()
            } catch {
                logger.error("cannot start \(name): \(error)")
                delay = backoff.next()
            }
        }
    }
}

extension Backoff {
    /// Before a component is started again: at once after the first end, unless it has run for a while.
    fileprivate static let component = Backoff(
        first: .milliseconds(100), max: .seconds(10), startsAtOnce: true, resetAfter: .seconds(10))
}
