import CLinux
import Glibc

/// A link whose frames a program reads and writes (tap, of the kernel's tun driver).
public enum TapDevice {
    /// Through which such links are made.
    public static let device = "/dev/net/tun"

    /// Makes a tap link in a network namespace. It stays when the program that uses it ends, with its addresses and
    /// routes, for the next one.
    ///
    /// - Throws: `ENOENT` where the machine has no tun driver, `EBUSY` where the link is there and in use.
    public static func make(_ name: String, in namespace: SharedDescriptor) throws(SystemError) {
        try insideNetworkNamespace(namespace) { () throws(SystemError) in
            _ = try check("make tap", name) { clinux_make_tap(name) }
        }
    }
}
