import CInitProtocol
import Glibc
import Linux

/// The list of operations that `martlet-init` carries out in a new process before it becomes the program
/// (`CInitProtocol.h`).
struct StartOperations: Sendable {
    private(set) var bytes: [UInt8] = []

    /// mount(2), with the paths of the host.
    mutating func mount(_ source: String, on target: String, type: String, flags: UInt64 = 0, options: String = "") {
        add(.mount, [flags], [source, target, type, options])
    }
    /// The root for the operations that follow.
    mutating func root(_ path: String) { add(.root, [], [path]) }
    mutating func makeDirectory(_ path: String, mode: UInt64 = 0o755) { add(.makeDirectory, [mode], [path]) }
    mutating func symlink(_ path: String, to target: String) { add(.symlink, [], [target, path]) }
    mutating func device(_ path: String, mode: UInt64, major: UInt64, minor: UInt64) {
        let number = (major & 0xfff) << 8 | minor & 0xff
        add(.device, [0o020000 | mode, number], [path, path])
    }
    mutating func bind(_ source: String, to target: String, readOnly: Bool, optional: Bool = false) {
        var flags: InitBindFlags = []
        if readOnly { flags.insert(.readOnly) }
        if optional { flags.insert(.optional) }
        add(.bind, [flags.rawValue], [source, target])
    }
    mutating func filesystem(_ type: String, on target: String, attributes: MountAttributes, options: String = "") {
        add(.filesystem, [attributes.rawValue], [type, options, target])
    }
    mutating func pivot() { add(.pivot, [], []) }
    mutating func hide(_ path: String) { add(.hide, [], [path]) }
    mutating func readOnly(_ path: String) { add(.readOnly, [], [path]) }
    mutating func write(_ text: String, to path: String, optional: Bool = false) {
        add(.write, [optional ? 1 : 0], [path, text])
    }
    mutating func groups(_ groups: [UInt32]) { add(.groups, [UInt64(groups.count)] + groups.map(UInt64.init), []) }
    mutating func ids(user: UInt32, group: UInt32) { add(.ids, [UInt64(user), UInt64(group)], []) }
    mutating func capabilities(_ kept: Capabilities) { add(.capabilities, [kept.mask], []) }
    mutating func noNewPrivileges() { add(.noNewPrivileges, [], []) }
    mutating func changeDirectory(_ path: String) { add(.changeDirectory, [], [path]) }
    mutating func execute(_ arguments: [String], environment: [String]) {
        add(.execute, [UInt64(arguments.count), UInt64(environment.count)], arguments + environment)
    }
    mutating func joinContainer() { add(.join, [], []) }
    /// A terminal of its own; without a size it has 0 columns and rows.
    mutating func terminal(_ size: WindowSize?) {
        add(.terminal, [size.map { UInt64($0.columns) << 16 | UInt64($0.rows) } ?? 0], [])
    }

    private mutating func add(_ operation: InitOperation, _ numbers: [UInt64], _ strings: [String]) {
        var body: [UInt8] = []
        for number in numbers { body.append(number: number) }
        for string in strings { body.append(terminated: string) }
        bytes.append(number: operation.rawValue)
        bytes.append(number: UInt32(body.count))
        bytes += body
    }

    /// The list as a memory file, to hand to the init.
    func file() throws(SystemError) -> SharedDescriptor { try makeMemoryFile("operations", bytes) }

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
        case InitOperation.mount.rawValue, InitOperation.bind.rawValue, InitOperation.filesystem.rawValue:
            return "mount \(subject): \(reason.lowercased())"
        case InitOperation.changeDirectory.rawValue: return "working directory \(subject): \(reason.lowercased())"
        default: return subject.isEmpty ? reason : "\(subject): \(reason.lowercased())"
        }
    }
}

/// Attributes of a mount (`MOUNT_ATTR_*` of mount_setattr(2)).
struct MountAttributes: OptionSet {
    let rawValue: UInt64
    static let readOnly = MountAttributes(rawValue: 1)
    static let noSetUID = MountAttributes(rawValue: 2)
    static let noDevices = MountAttributes(rawValue: 4)
    static let noExecute = MountAttributes(rawValue: 8)
}
