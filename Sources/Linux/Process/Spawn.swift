import CLinux
import Glibc

/// A program to start as a child process.
public struct Spawn: Sendable {
    /// The program's path, then its arguments.
    public var arguments: [String]
    /// What is executed, where that is not the first argument: may name a descriptor of the child's (`/proc/self/fd/5`).
    public var program: String?
    /// `NAME=value`
    public var environment: [String]
    /// Descriptors of this process and their numbers in the child; all others stay here.
    public var descriptors: [(own: SharedDescriptor, child: Int32)]
    /// In a session of its own, so that a terminal's signals and hang-up do not reach it.
    public var newSession: Bool

    public init(
        _ arguments: [String], program: String? = nil, environment: [String],
        descriptors: [(own: SharedDescriptor, child: Int32)] = [],
        newSession: Bool = false
    ) {
        self.arguments = arguments
        self.program = program
        self.environment = environment
        self.descriptors = descriptors
        self.newSession = newSession
    }

    /// The environment of this process, as `environment` takes it.
    public static var ownEnvironment: [String] {
        var variables: [String] = []
        var next = environ
        while let variable = next.pointee {
            variables.append(String(cString: variable))
            next += 1
        }
        return variables
    }

    /// Starts the program. Standard input, output and error that are not given are `/dev/null`.
    ///
    /// - Returns: the child's pid; whoever starts it reaps it.
    public func start() throws(SystemError) -> pid_t {
        let subject = arguments.first ?? ""
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that this process ignores or blocks (SIGPIPE, SIGTERM) are the child's own affair.
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        if newSession { flags |= 0x80 }  // POSIX_SPAWN_SETSID
        posix_spawnattr_setflags(&attributes, Int16(flags))

        // Copies above all targets, so that no target overwrites a source that is still needed.
        var copies: [SharedDescriptor.Lease] = []
        defer { withExtendedLifetime(copies) {} }
        for standard in 0..<Int32(3) where !descriptors.contains(where: { $0.child == standard }) {
            posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0)
        }
        for (own, child) in descriptors {
            let copy = try own.withRawValue { number throws(SystemError) in
                SharedDescriptor(owning: try check("dup", subject) { fcntl(number, F_DUPFD_CLOEXEC, 64) })
            }
            let lease = try copy.lease()
            copies.append(lease)
            posix_spawn_file_actions_adddup2(&actions, lease.number, child)
        }
        // Also what others in this process have opened to be inherited, such as NIO its sockets: a child that has a
        // connection keeps it open when this process closes it.
        let children = Set(descriptors.map(\.child))
        let first = (children.max() ?? 2) + 1
        for number in 3..<max(3, first) where !children.contains(number) {
            posix_spawn_file_actions_addclose(&actions, number)
        }
        clinux_spawn_close_from(&actions, max(3, first))
        var pid: pid_t = 0
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer {
            for pointer in argv + envp { free(pointer) }
        }
        let result = posix_spawn(&pid, program ?? subject, &actions, &attributes, &argv, &envp)
        guard result == 0 else { throw SystemError("spawn", errno: result, subject) }
        return pid
    }
}
