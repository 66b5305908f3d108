import CSeccomp
import Glibc
import Linux
import Synchronization

/// A profile as the program that the kernel runs at each system call.
package struct SeccompFilter: Sendable {
    /// The number of instructions and then each as seccomp(2) takes it (`struct sock_filter`), in 64 bits: as the init
    /// gets them with each container's start.
    let encoded: [UInt8]

    /// Why this node has no filters; nil where it has.
    package static var obstacle: String? { cseccomp_load().map { String(cString: $0) } }

    /// Compiled once a profile.
    static func compiled(_ profile: SeccompProfile) throws -> SeccompFilter {
        if let known = compiled.withLock({ $0[profile] }) { return known }
        let filter = try SeccompFilter(profile)
        compiled.withLock { filters in
            // Profiles are few, but their files may change again and again.
            if filters.count >= 64 { filters = [:] }
            filters[profile] = filter
        }
        return filter
    }

    private static let compiled = Mutex<[SeccompProfile: SeccompFilter]>([:])

    init(_ profile: SeccompProfile) throws {
        if let obstacle = Self.obstacle {
            throw SeccompError(description: "seccomp is not available on this node: \(obstacle); install libseccomp2")
        }
        guard let filter = cseccomp_open(Self.code(profile.defaultAction)) else {
            throw SeccompError(description: "libseccomp makes no filter")
        }
        defer { cseccomp_close(filter) }
        for rule in profile.rules where rule.action != profile.defaultAction {
            let comparisons = rule.comparisons.map {
                cseccomp_comparison(
                    index: UInt32($0.index), op: Self.code($0.comparison), first: $0.first, second: $0.second)
            }
            for name in rule.names {
                // -1: unknown to the library, and so not on this machine, or newer than the library (below).
                let number = cseccomp_number(name)
                if number == -1 { continue }
                let result = cseccomp_add(
                    filter, Self.code(rule.action), number, comparisons, UInt32(comparisons.count))
                // Calls of the other architecture only cannot be compared by their arguments; those that are there
                // twice stay as they are.
                guard result == 0 || result == -EEXIST || (number < 0 && result == -EINVAL) else {
                    throw SeccompError(description: "seccomp rule of \(name): \(String(cString: strerror(-result)))")
                }
            }
        }
        let file = try makeMemoryFile("seccomp", [])
        try file.withRawValue { number throws(SystemError) in
            let result = cseccomp_export(filter, number)
            if result != 0 { throw SystemError("seccomp_export_bpf", errno: -result) }
            lseek(number, 0, SEEK_SET)
        }
        let bytes = try file.readToEnd()
        var program = Self.unknownCalls
        bytes.withUnsafeBytes { program += $0.bindMemory(to: UInt64.self) }
        guard program.count <= 4096 else {
            throw SeccompError(
                description: "the profile's filter has \(program.count) instructions, the kernel takes 4096")
        }
        encoded = ([UInt64(program.count)] + program).flatMap { number in
            Swift.withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }
    }

    /// Calls that are newer than the library, which has no name for them, seem not to be there (ENOSYS): programs turn to
    /// older ones then, but not where they are told that they may not.
    private static let unknownCalls: [UInt64] = {
        func instruction(_ code: UInt64, _ constant: UInt64, ifTrue: UInt64 = 0, ifFalse: UInt64 = 0) -> UInt64 {
            code | ifTrue << 16 | ifFalse << 24 | constant << 32
        }
        #if arch(x86_64)
            let architecture: UInt64 = 0xc000_003e
        #else
            let architecture: UInt64 = 0xc000_00b7
        #endif
        let (load, equal, greater, answer): (UInt64, UInt64, UInt64, UInt64) = (0x20, 0x15, 0x25, 0x06)
        return [
            instruction(load, 4), instruction(equal, architecture, ifFalse: 4),
            // From 2^30 on are the calls of x32.
            instruction(load, 0), instruction(greater, 0x3fff_ffff, ifTrue: 2),
            instruction(greater, UInt64(cseccomp_last_number()), ifFalse: 1),
            instruction(answer, UInt64(cseccomp_errno) | UInt64(ENOSYS)),
        ]
    }()

    private static func code(_ action: SeccompProfile.Action) -> UInt32 {
        switch action {
        case .allow: UInt32(cseccomp_allow)
        case .log: UInt32(cseccomp_log)
        case .trap: UInt32(cseccomp_trap)
        case .killThread: UInt32(cseccomp_kill_thread)
        case .killProcess: UInt32(cseccomp_kill_process)
        case .error(let number): UInt32(cseccomp_errno) | UInt32(number)
        }
    }

    private static func code(_ comparison: SeccompProfile.Operator) -> cseccomp_operator {
        switch comparison {
        case .notEqual: cseccomp_ne
        case .less: cseccomp_lt
        case .lessOrEqual: cseccomp_le
        case .equal: cseccomp_eq
        case .greaterOrEqual: cseccomp_ge
        case .greater: cseccomp_gt
        case .maskedEqual: cseccomp_masked_eq
        }
    }
}
