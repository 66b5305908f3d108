import CLinux
import Glibc

/// A device that the processes of a control group may use.
public struct DeviceRule: Sendable, Hashable {
    public enum Kind: Character, Sendable { case block = "b", character = "c" }
    public struct Access: OptionSet, Sendable, Hashable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// mknod(2)
        public static let make = Access(rawValue: Int32(clinux_device_make))
        public static let read = Access(rawValue: Int32(clinux_device_read))
        public static let write = Access(rawValue: Int32(clinux_device_write))
        public static let all: Access = [.make, .read, .write]
    }

    public let kind: Kind
    /// Nil for each of them.
    public let major: Int32?
    public let minor: Int32?
    public let access: Access

    public init(_ kind: Kind, major: Int32? = nil, minor: Int32? = nil, _ access: Access = .all) {
        self.kind = kind
        self.major = major
        self.minor = minor
        self.access = access
    }

    /// What container engines allow: any node may be made, but only the harmless devices and terminals can be opened.
    public static let standard: [DeviceRule] =
        [
            DeviceRule(.character, .make), DeviceRule(.block, .make), DeviceRule(.character, major: 136),
            DeviceRule(.character, major: 5, minor: 0), DeviceRule(.character, major: 5, minor: 2),
        ] + [3, 5, 7, 8, 9].map { DeviceRule(.character, major: 1, minor: $0) }

    /// As the device controller of version 1 takes it: `c 1:3 rwm`.
    var text: String {
        func number(_ value: Int32?) -> String { value.map(String.init) ?? "*" }
        let letters =
            (access.contains(.read) ? "r" : "") + (access.contains(.write) ? "w" : "")
            + (access.contains(.make) ? "m" : "")
        return "\(kind.rawValue) \(number(major)):\(number(minor)) \(letters)"
    }
}

/// Decides which devices the processes of a control group of version 2 may use, in the kernel.
final class DeviceProgram: Sendable {
    private let program: Descriptor

    /// - Throws: where the kernel has no such programs, or this process may not load them.
    init(_ rules: [DeviceRule]) throws(SystemError) {
        let rows = rules.map { rule in
            clinux_device_rule(
                type: CChar(bitPattern: rule.kind.rawValue.asciiValue ?? 0), major: rule.major ?? -1,
                minor: rule.minor ?? -1, access: rule.access.rawValue)
        }
        program = Descriptor(
            owning: try check("load a device program") {
                clinux_load_device_program(rows, Int32(rows.count))
            })
    }

    /// It decides for the group, by its directory, and those below it, also after the end of this process.
    func attach(to directory: String) throws(SystemError) {
        let group = try Descriptor.open(directory, O_RDONLY | O_DIRECTORY)
        try program.withRawValue { program throws(SystemError) in
            try group.withRawValue { group throws(SystemError) in
                _ = try check("attach a device program to", directory) { clinux_attach_device_program(program, group) }
            }
        }
    }
}
