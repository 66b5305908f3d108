import Glibc
import Linux

/// What decides which isolation levels a process has: its capabilities, and what the kernel was built with.
package struct HostFeatures: Sendable, Equatable {
    /// Effective ones, in the process's own user namespace.
    package var capabilities: Capabilities
    /// Types of namespaces, as `/proc/self/ns` names them.
    package var namespaces: Set<String>
    /// The executable `martlet-init` can be executed.
    package var hasInit: Bool

    package init(capabilities: Capabilities, namespaces: Set<String>, hasInit: Bool) {
        self.capabilities = capabilities
        self.namespaces = namespaces
        self.hasInit = hasInit
    }

    /// Those of this process. Reads two files of `/proc`; starts nothing.
    package static func probe(initPath: String) -> HostFeatures {
        let line = (try? readFile("/proc/self/status"))?.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let mask = line.flatMap { UInt64($0.dropFirst("CapEff:".count).drop(while: \.isWhitespace), radix: 16) }
        return HostFeatures(
            capabilities: Capabilities(mask: mask ?? 0), namespaces: Set((try? listDirectory("/proc/self/ns")) ?? []),
            hasInit: access(initPath, X_OK) == 0)
    }
}
