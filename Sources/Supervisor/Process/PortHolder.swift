import Addresses
import Glibc
import Linux

/// A program of the machine that has a port, so that people are told what to end.
struct PortHolder: Sendable, Hashable, CustomStringConvertible {
    /// Where it listens: an address, or 0.0.0.0 or [::] for all of them.
    let place: String
    /// Nil where that cannot be found out.
    let program: String?

    var description: String { program.map { "\($0) at \(place)" } ?? "a program at \(place)" }

    /// Who keeps others from an address; nil where nobody is found. Looks at all processes.
    static func find(_ address: HostPorts.Address) async -> PortHolder? {
        await Blocking.run {
            let transport = address.transport.lowercased()
            for table in [transport, transport + "6"] {
                guard let text = try? readFile("/proc/self/net/\(table)"),
                    let found = holder(of: address, inTable: text, isStream: transport == "tcp")
                else { continue }
                return PortHolder(place: "\(found.host):\(address.port)", program: program(ofSocket: found.inode))
            }
            return nil
        }
    }

    /// The socket in a table of the kernel's (proc(5), /proc/net/tcp) that has the port, at the address or at all.
    static func holder(
        of address: HostPorts.Address, inTable table: String, isStream: Bool
    ) -> (host: String, inode: String)? {
        let listening = "0A"
        let all = ["00000000": "0.0.0.0", String(repeating: "0", count: 32): "[::]"]
        guard let host = IPv4Address(address.address) else { return nil }
        let own = hexadecimal(host.value.byteSwapped, digits: 8)
        let port = hexadecimal(UInt32(address.port), digits: 4)
        for line in table.split(separator: "\n").dropFirst() {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 9, !isStream || words[3] == listening else { continue }
            let place = words[1].split(separator: ":")
            guard place.count == 2, place[1] == port else { continue }
            if place[0] == own { return (host.description, String(words[9])) }
            if let name = all[String(place[0])] { return (name, String(words[9])) }
        }
        return nil
    }

    private static func hexadecimal(_ number: UInt32, digits: Int) -> String {
        let text = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    private static func program(ofSocket inode: String) -> String? {
        let wanted = "socket:[\(inode)]"
        for process in (try? listDirectory("/proc")) ?? [] where Int32(process) != nil {
            let directory = "/proc/\(process)/fd"
            for descriptor in (try? listDirectory(directory)) ?? [] {
                var buffer = [UInt8](repeating: 0, count: 64)
                let count = readlink("\(directory)/\(descriptor)", &buffer, buffer.count)
                guard count > 0, String(decoding: buffer[..<count], as: UTF8.self) == wanted else { continue }
                let name = (try? readFile("/proc/\(process)/comm"))?.prefix { $0 != "\n" } ?? "a program"
                return "\(name) (pid \(process))"
            }
        }
        return nil
    }
}
