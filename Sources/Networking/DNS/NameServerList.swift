import Addresses
import Glibc
import Linux
import Synchronization

/// The name servers that a file names (resolv.conf(5)), as it is now: a machine that moves to another network gets
/// others.
final class NameServerList: Sendable {
    /// What changes with the file's content.
    private struct Version: Hashable {
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    private struct State {
        var version: Version?
        var servers: [HostNameServers.Server] = []
    }

    private let path: String?
    private let state: Mutex<State>

    init(file path: String) {
        self.path = path
        state = Mutex(State())
    }

    init(_ servers: [HostNameServers.Server]) {
        path = nil
        state = Mutex(State(servers: servers))
    }

    /// Looks at the file's state, which takes some microseconds, and reads it where that has changed.
    func current() -> [HostNameServers.Server] {
        guard let path else { return state.withLock { $0.servers } }
        let version = Version(path)
        return state.withLock { state in
            if state.version != version || version == nil {
                state.version = version
                state.servers = Self.servers(path).compactMap { IPv4Address($0) }.map {
                    HostNameServers.Server(address: $0)
                }
            }
            return state.servers
        }
    }

    /// The addresses of the `nameserver` lines.
    static func servers(_ path: String) -> [String] {
        let lines = (try? readFile(path))?.split(separator: "\n") ?? []
        return lines.compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            return words.count >= 2 && words[0] == "nameserver" ? String(words[1]) : nil
        }
    }
}
