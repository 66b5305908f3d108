import CInitProtocol
import Glibc
import Linux

/// The list of operations that `martlet-init` carries out in a new process before it becomes the program
/// (`CInitProtocol.h`).
struct StartOperations: Sendable {
    private(set) var bytes: [UInt8] = []
    /// What the operations need of the host; an operation names it by its place, of which the list itself has the first.
    private(set) var descriptors: [SharedDescriptor] = []

    /// Joins a control group, by the file that takes 0 from who joins.
    mutating func group(_ file: SharedDescriptor, optional: Bool = false) {
        add(.group, [optional ? 1 : 0, place(of: file)], [])
    }
    /// The groups that the process is in become the root of what it sees of control groups.
    mutating func groupNamespace() { add(.groupNamespace, [], []) }
    /// The root for the operations that follow.
    mutating func root(_ mount: DetachedMount) { add(.root, [place(of: mount.descriptor)], []) }
    mutating func makeDirectory(_ path: String, mode: UInt64 = 0o755) { add(.makeDirectory, [mode], [path]) }
    mutating func symlink(_ path: String, to target: String) { add(.symlink, [], [target, path]) }
    mutating func device(_ path: String, mode: UInt64, major: UInt64, minor: UInt64) {
        let number = (major & 0xfff) << 8 | minor & 0xff
        add(.device, [0o020000 | mode, number], [path])
    }
    mutating func bind(_ mount: DetachedMount, to target: String) {
        add(.bind, [place(of: mount.descriptor)], [target])
    }
    mutating func filesystem(
        _ type: String, on target: String, attributes: DetachedMount.Attributes, options: String = ""
    ) {
        add(.filesystem, [attributes.rawValue], [type, options, target])
    }
    mutating func pivot() { add(.pivot, [], []) }
    mutating func hide(_ path: String) { add(.hide, [], [path]) }
    mutating func readOnly(_ path: String) { add(.readOnly, [], [path]) }
    mutating func groups(_ groups: [UInt32]) { add(.groups, [UInt64(groups.count)] + groups.map(UInt64.init), []) }
    mutating func ids(user: UInt32, group: UInt32) { add(.ids, [UInt64(user), UInt64(group)], []) }
    mutating func capabilities(_ kept: Capabilities) { add(.capabilities, [kept.mask], []) }
    mutating func keyring() { add(.keyring, [], []) }
    /// Last before `execute`: what comes after it needs calls that the filter may refuse.
    mutating func seccomp(_ filter: SeccompFilter) {
        bytes.append(number: InitOperation.seccomp.rawValue)
        bytes.append(number: UInt32(filter.encoded.count))
        bytes += filter.encoded
    }
    mutating func noNewPrivileges() { add(.noNewPrivileges, [], []) }
    mutating func limitOpenFiles(_ limit: OpenFileLimit.Values) {
        add(.rlimit, [UInt64(RLIMIT_NOFILE.rawValue), limit.soft, limit.hard], [])
    }
    mutating func changeDirectory(_ path: String) { add(.changeDirectory, [], [path]) }
    mutating func execute(_ arguments: [String], environment: [String]) {
        add(.execute, [UInt64(arguments.count), UInt64(environment.count)], arguments + environment)
    }
    mutating func joinContainer() { add(.join, [], []) }
    /// A terminal of its own; without a size it has 0 columns and rows.
    mutating func terminal(_ size: WindowSize?) {
        add(.terminal, [size.map { UInt64($0.columns) << 16 | UInt64($0.rows) } ?? 0], [])
    }

    private mutating func place(of descriptor: SharedDescriptor) -> UInt64 {
        descriptors.append(descriptor)
        return UInt64(descriptors.count)
    }

    private mutating func add(_ operation: InitOperation, _ numbers: [UInt64], _ strings: [String]) {
        var body: [UInt8] = []
        for number in numbers { body.append(number: number) }
        for string in strings { body.append(terminated: string) }
        bytes.append(number: operation.rawValue)
        bytes.append(number: UInt32(body.count))
        bytes += body
    }

    /// The list as a memory file and the descriptors that it names, to hand to the init.
    ///
    /// - Parameter others: what the request itself names, in places from `descriptors.count + 1` on.
    /// - Throws: `RuntimeError` where the container has more mounts than a packet takes.
    func handOver(with others: [SharedDescriptor]) throws -> [SharedDescriptor] {
        let all = [try makeMemoryFile("operations", bytes)] + descriptors + others
        guard all.count <= max_descriptors else {
            throw RuntimeError.failed(
                "the container has too many mounts: a node mounts some \(max_descriptors - 20) at most, so put what "
                    + "belongs together in one volume")
        }
        return all
    }

    /// The failure of an operation, for the pod's status.
    static func describe(operation: UInt32, error: Int32, subject: String) -> String {
        let reason = String(cString: strerror(error))
        switch operation {
        case InitOperation.execute.rawValue:
            switch error {
            case ENOENT:
                return subject.contains("/")
                    ? "exec: \"\(subject)\": stat \(subject): no such file or directory"
                    : "exec: \"\(subject)\": executable file not found in $PATH"
            default: return "exec: \"\(subject)\": \(reason.lowercased())"
            }
        case InitOperation.bind.rawValue, InitOperation.filesystem.rawValue:
            return "mount \(subject): \(reason.lowercased())"
        case InitOperation.changeDirectory.rawValue: return "working directory \(subject): \(reason.lowercased())"
        default: return subject.isEmpty ? reason : "\(subject): \(reason.lowercased())"
        }
    }
}
