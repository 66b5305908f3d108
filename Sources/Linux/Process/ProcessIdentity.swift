import CLinux
import Glibc

/// A process, told apart from a later one with the same pid by its start time.
public struct ProcessIdentity: Sendable, Hashable, CustomStringConvertible {
    public let pid: pid_t
    /// Clock ticks after boot: field 22 of `/proc/PID/stat`.
    public let startTime: UInt64

    public init(pid: pid_t, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// The process that has this pid now; nil where there is none, or where only its zombie is left.
    public init?(pid: pid_t) {
        guard let fields = Self.statFields(pid), fields.count > 19, fields[0] != "Z", fields[0] != "X",
            let startTime = UInt64(fields[19])
        else { return nil }
        self.init(pid: pid, startTime: startTime)
    }

    /// Reads what `description` wrote.
    public init?(_ text: String) {
        let parts = text.split(whereSeparator: \.isWhitespace)
        guard parts.count == 2, let pid = pid_t(parts[0]), let startTime = UInt64(parts[1]) else { return nil }
        self.init(pid: pid, startTime: startTime)
    }

    public var description: String { "\(pid) \(startTime)" }

    /// Whether this very process still runs.
    public var isRunning: Bool { ProcessIdentity(pid: pid) == self }

    /// Sends a signal to this very process; false where it has ended.
    @discardableResult
    public func signal(_ number: Int32) -> Bool {
        guard let process = try? openProcess(pid) else { return false }
        // The pid cannot change hands while the descriptor is open, so a check now holds for the signal.
        guard isRunning else { return false }
        return process.withRawValue { clinux_pidfd_send_signal($0, number) } == 0
    }

    /// Returns when this process has ended or the task is cancelled; at once where it has ended already.
    public func waitForEnd() async {
        guard let process = try? openProcess(pid) else { return }
        // As above: from here on the descriptor is this very process's.
        guard isRunning else { return }
        do {
            try await Poller.shared.readable(SharedDescriptor(process))
        } catch is SystemError {
            // Without a descriptor to wait on there is still the process table.
            while isRunning, (try? await Task.sleep(for: .milliseconds(50))) != nil {}
        } catch {}
    }

    /// As `waitForEnd`, for so long.
    public func waitForEnd(atMost limit: Duration) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await waitForEnd() }
            tasks.addTask { try? await Task.sleep(for: limit) }
            await tasks.next()
            tasks.cancelAll()
        }
    }

    /// The fields of `/proc/PID/stat` after the command's name: the state is the first.
    private static func statFields(_ pid: pid_t) -> [Substring]? {
        guard let file = try? Descriptor.open("/proc/\(pid)/stat", O_RDONLY) else { return nil }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = file.withRawValue { read($0, &buffer, 1024) }
        guard count > 0, let end = buffer[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
        return String(decoding: buffer[(end + 1)..<count], as: UTF8.self).split(separator: " ")
    }
}

/// How a child process ended.
public struct ExitStatus: Sendable, Hashable, CustomStringConvertible {
    public let code: Int32
    /// The signal that ended it, 0 where it exited by itself.
    public let signal: Int32

    public init(code: Int32, signal: Int32) {
        self.code = code
        self.signal = signal
    }

    public var description: String { signal == 0 ? "exited with status \(code)" : "was ended by signal \(signal)" }

    /// Takes the status of a child that has ended; nil while it runs or where it is no child of this process.
    public static func reap(_ pid: pid_t) -> ExitStatus? {
        var code: Int32 = 0
        var signal: Int32 = 0
        return clinux_reap(pid, &code, &signal) == 1 ? ExitStatus(code: code, signal: signal) : nil
    }
}

/// A descriptor that names a process as long as it is open, whatever becomes of the process's number.
private func openProcess(_ pid: pid_t) throws(SystemError) -> Descriptor {
    Descriptor(owning: try check("pidfd_open", "\(pid)") { clinux_pidfd_open(pid) })
}

/// A duplicate of another process's descriptor: the same open file or socket. Needs the right to trace that process.
public func duplicateDescriptor(_ number: Int32, of pid: pid_t) throws(SystemError) -> Descriptor {
    try openProcess(pid).withRawValue { process throws(SystemError) in
        Descriptor(
            owning: try check("pidfd_getfd", "\(number) of \(pid)") { clinux_pidfd_getfd(process, number) })
    }
}
