/// Systemd: libsystemd with Swift names (readiness, watchdog, socket activation), and the receiving side of readiness.
///
/// It never assumes that systemd runs: where the library or the environment is missing, the calls do nothing or fall
/// back to the documented protocol, and say which.

import CSystemd
import Glibc
import Linux
import Synchronization

/// What a service reports to whoever started it (sd_notify(3)).
public struct Notify: Sendable {
    /// The socket in whose environment this process was started (`NOTIFY_SOCKET`).
    public static let inherited = Notify(socket: getenv("NOTIFY_SOCKET").map { String(cString: $0) })

    /// Whether libsystemd could be loaded.
    public static var isLibraryAvailable: Bool { csystemd_available() }

    private let path: String?

    /// - Parameter socket: the path of a notify socket, a leading `@` for the abstract namespace; nil where nobody
    ///   listens.
    public init(socket: String?) { path = socket }

    /// The service answers requests.
    public func ready() { send("READY=1") }
    /// The service begins to end.
    public func stopping() { send("STOPPING=1") }
    /// One line on what the service does at the moment.
    public func status(_ text: String) { send("STATUS=\(text)") }
    /// Sign of life for `WatchdogSec=`.
    public func watchdog() { send("WATCHDOG=1") }

    /// Half of what `WatchdogSec=` asks for, the interval at which to send `watchdog()`; nil where none is asked.
    public static var watchdogInterval: Duration? {
        var microseconds: UInt64 = 0
        guard csystemd_watchdog_enabled(&microseconds) > 0 else { return nil }
        return .microseconds(Int64(microseconds / 2))
    }

    /// Sends `watchdog()` as often as is asked until the task is cancelled; returns at once where it is not asked.
    public func keepWatchdog() async {
        guard let interval = Self.watchdogInterval else { return }
        while !Task.isCancelled {
            watchdog()
            try? await Task.sleep(for: interval)
        }
    }

    /// Sends state assignments, one a line. Nobody listening is no error: the service may run by hand.
    public func send(_ state: String) {
        guard let path else { return }
        guard let socket = try? makeSocket(domain: AF_UNIX, type: Int32(SOCK_DGRAM.rawValue)),
            let (address, length) = UnixAddress.make(path)
        else { return }
        var target = address
        socket.withRawValue { number in
            _ = withUnsafePointer(to: &target) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    sendto(number, state, state.utf8.count, Int32(MSG_NOSIGNAL), generic, length)
                }
            }
        }
    }
}

/// The sockets that whoever started this process passed to it (sd_listen_fds(3)), by name.
public enum ListenSockets {
    private static let taken = Mutex(false)

    /// Takes the descriptors' numbers. They are open as long as the process lives, or are given to NIO, and are the caller's from now on; a second call gives none.
    public static func take() -> [(name: String, descriptor: Int32)] {
        let isFirst = taken.withLock { taken in
            defer { taken = true }
            return !taken
        }
        guard isFirst else { return [] }
        let sockets = offered(to: getpid()) { getenv($0).map { String(cString: $0) } }
        for socket in sockets { _ = fcntl(socket.descriptor, F_SETFD, FD_CLOEXEC) }
        return sockets
    }

    /// What an environment offers to a process.
    static func offered(
        to pid: pid_t, _ variable: (String) -> String?
    ) -> [(name: String, descriptor: Int32)] {
        guard variable("LISTEN_PID").flatMap({ Int32($0) }) == pid,
            let count = variable("LISTEN_FDS").flatMap({ Int32($0) }), count > 0
        else { return [] }
        let names = variable("LISTEN_FDNAMES")?.split(separator: ":").map(String.init) ?? []
        // SD_LISTEN_FDS_START
        return (0..<count).map { index in
            (names.indices.contains(Int(index)) ? names[Int(index)] : "unknown", 3 + index)
        }
    }
}

enum UnixAddress {
    /// A Unix socket address; a leading `@` names the abstract namespace. Nil where the path is too long.
    static func make(_ path: String) -> (sockaddr_un, socklen_t)? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        let abstract = bytes.first == UInt8(ascii: "@")
        if abstract { bytes[0] = 0 }
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let base = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        return (address, socklen_t(base + bytes.count + (abstract ? 0 : 1)))
    }
}
