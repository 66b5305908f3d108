#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// An IPv4 or IPv6 address as values of fields have it.
package struct IPAddress: Sendable, Hashable {
    /// Four, or sixteen. An IPv4 address in an IPv6 one (`::ffff:10.0.0.1`) is the former.
    package let bytes: [UInt8]

    package init?(_ text: String) {
        // To C a string ends at its first NUL.
        guard !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        if let address = IPv4Address(text) {
            self.bytes = address.bytes
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
        } else {
            return nil
        }
    }

    package var isIPv4: Bool { bytes.count == 4 }
    /// Nil for an IPv6 address.
    package var ipv4: IPv4Address? { isIPv4 ? IPv4Address(bytes[0], bytes[1], bytes[2], bytes[3]) : nil }

    package var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }
    package var isLoopback: Bool {
        isIPv4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
    }
    /// 169.254.0.0/16, fe80::/10
    package var isLinkLocal: Bool {
        isIPv4 ? bytes[0] == 169 && bytes[1] == 254 : bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80
    }
    /// 224.0.0.0/24, and multicast of link-local scope, whatever its flags.
    package var isLinkLocalMulticast: Bool {
        isIPv4 ? bytes[0] == 224 && bytes[1] == 0 && bytes[2] == 0 : bytes[0] == 0xff && bytes[1] & 0x0f == 2
    }
}
