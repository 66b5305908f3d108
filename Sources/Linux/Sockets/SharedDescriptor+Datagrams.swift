import Addresses
import CLinux
import Glibc

/// Datagram sockets that talk to one other at a time.
extension SharedDescriptor {
    /// Talks to an address from now on, and hears nobody else. A socket that was never bound gets a free port of the
    /// kernel's choice, another one each time.
    public func connectDatagrams(to address: IPv4Address, port: UInt16) throws(SystemError) {
        try disconnect()
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = address.value.bigEndian
        try connect(&name, "\(address):\(port)")
    }

    /// Talks to nobody any more, and lets go of the port that the kernel chose (connect(2), AF_UNSPEC). A stream socket
    /// breaks its connection off, and can make another.
    public func disconnect() throws(SystemError) {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_UNSPEC)
        try connect(&name, "")
    }

    private func connect(_ name: inout sockaddr_in, _ subject: String) throws(SystemError) {
        try withRawValue { number throws(SystemError) in
            _ = try check("connect", subject) {
                withUnsafePointer(to: &name) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
            }
        }
    }

    /// Sends one datagram; it does not block.
    public func sendDatagram(_ bytes: [UInt8]) throws(SystemError) {
        try withRawValue { number throws(SystemError) in
            _ = try check("send") { send(number, bytes, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL)) }
        }
    }

    /// The next datagram of at most `max` bytes; nil where there is none yet.
    public func receiveDatagram(max: Int) throws(SystemError) -> [UInt8]? {
        try withRawValue { number throws(SystemError) in
            var buffer = [UInt8](repeating: 0, count: max)
            do throws(SystemError) {
                let count = try check("recv") { recv(number, &buffer, max, Int32(MSG_DONTWAIT)) }
                return Array(buffer[..<count])
            } catch {
                if error.errno == EAGAIN { return nil }
                throw error
            }
        }
    }
}
