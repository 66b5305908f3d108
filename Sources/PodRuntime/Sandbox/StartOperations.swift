import CLinux
import Glibc
import Linux
import NodeStreams
import SystemPackage

/// The list of operations that `martlet-init` carries out in a new process before it becomes the program
/// (`martlet-init/protocol.h`).
struct StartOperations: Sendable {
    private(set) var bytes: [UInt8] = []

    /// mount(2), with the paths of the host.
    mutating func mount(_ source: String, on target: String, type: String, flags: UInt64 = 0, options: String = "") {
        add(1, [flags], [source, target, type, options])
    }
    /// What the operations below take for the root.
    mutating func root(_ path: String) { add(2, [], [path]) }
    mutating func folder(_ path: String, mode: UInt64 = 0o755) { add(3, [mode], [path]) }
    mutating func symlink(_ path: String, to target: String) { add(4, [], [target, path]) }
    mutating func device(_ path: String, mode: UInt64, major: UInt64, minor: UInt64) {
        let number = (major & 0xfff) << 8 | minor & 0xff
        add(5, [0o020000 | mode, number], [path, path])
    }
    mutating func bind(_ source: String, to target: String, readOnly: Bool, optional: Bool = false) {
        add(6, [(readOnly ? 1 : 0) | (optional ? 2 : 0)], [source, target])
    }
    mutating func filesystem(_ type: String, on target: String, attributes: MountAttributes, options: String = "") {
        add(7, [attributes.rawValue], [type, options, target])
    }
    mutating func pivot() { add(8, [], []) }
    mutating func hide(_ path: String) { add(9, [], [path]) }
    mutating func readOnly(_ path: String) { add(10, [], [path]) }
    mutating func write(_ text: String, to path: String, optional: Bool = false) {
        add(11, [optional ? 1 : 0], [path, text])
    }
    mutating func groups(_ groups: [UInt32]) { add(12, [UInt64(groups.count)] + groups.map(UInt64.init), []) }
    mutating func ids(user: UInt32, group: UInt32) { add(13, [UInt64(user), UInt64(group)], []) }
    mutating func capabilities(_ kept: Capabilities) { add(14, [kept.mask], []) }
    mutating func noNewPrivileges() { add(15, [], []) }
    mutating func directory(_ path: String) { add(17, [], [path]) }
    mutating func execute(_ arguments: [String], environment: [String]) {
        add(18, [UInt64(arguments.count), UInt64(environment.count)], arguments + environment)
    }
    mutating func joinContainer() { add(19, [], []) }
    /// A terminal of its own; without a size it has 0 columns and rows.
    mutating func terminal(_ size: TerminalSize?) {
        add(20, [size.map { UInt64($0.columns) << 16 | UInt64($0.rows) } ?? 0], [])
    }

    private mutating func add(_ type: UInt32, _ numbers: [UInt64], _ strings: [String]) {
        var body: [UInt8] = []
        for number in numbers { body.append(number: number) }
        for string in strings { body.append(terminated: string) }
        bytes.append(number: type)
        bytes.append(number: UInt32(body.count))
        bytes += body
    }

    /// The list as a memory file, to hand to the init. The caller closes it.
    func file() throws(SystemError) -> FileDescriptor {
        let descriptor = clinux_memfd("operations")
        guard descriptor >= 0 else { throw SystemError("memfd_create") }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                let error = SystemError("write", "operations")
                close(descriptor)
                throw error
            }
            rest = rest.dropFirst(count)
        }
        return FileDescriptor(rawValue: descriptor)
    }

    /// What a failed operation was about, for the pod's status.
    static func describe(operation: UInt32, error: Int32, subject: String) -> String {
        let reason = String(cString: strerror(error))
        switch operation {
        case 18:
            switch error {
            case ENOENT:
                return subject.contains("/")
                    ? "exec: \"\(subject)\": stat \(subject): no such file or directory"
                    : "exec: \"\(subject)\": executable file not found in $PATH"
            default: return "exec: \"\(subject)\": \(reason.lowercased())"
            }
        case 1, 6, 7: return "mount \(subject): \(reason.lowercased())"
        case 17: return "working directory \(subject): \(reason.lowercased())"
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
