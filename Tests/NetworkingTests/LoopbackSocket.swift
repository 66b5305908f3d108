import Glibc
import Linux

/// Blocking TCP sockets on loopback, whose calls fail after some seconds.
enum LoopbackSocket {
    struct Listening {
        let descriptor: SharedDescriptor
        let port: UInt16
    }

    static func listening(queue: Int32 = 128) throws -> Listening {
        let descriptor = try makeSocket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        var name = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try descriptor.withRawValue { number in
            try withUnsafeMutablePointer(to: &name) { pointer in
                try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    guard bind(number, $0, length) == 0, listen(number, queue) == 0,
                        getsockname(number, $0, &length) == 0
                    else { throw SystemError("listen") }
                }
            }
        }
        return Listening(descriptor: SharedDescriptor(descriptor), port: UInt16(bigEndian: name.sin_port))
    }

    static func connected(_ port: UInt16) throws -> Descriptor {
        let descriptor = try makeSocket(domain: AF_INET, type: Int32(SOCK_STREAM.rawValue))
        var name = loopback(port)
        try descriptor.withRawValue { number in
            limit(number)
            let result = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0 else { throw SystemError("connect") }
        }
        return descriptor
    }

    static func accept(_ listener: SharedDescriptor) throws -> Descriptor {
        let number = try listener.withRawValue { Glibc.accept($0, nil, nil) }
        guard number >= 0 else { throw SystemError("accept") }
        limit(number)
        return Descriptor(owning: number)
    }

    static func receive(_ socket: borrowing Descriptor, _ max: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: max)
        let count = socket.withRawValue { recv($0, &buffer, max, 0) }
        guard count >= 0 else { throw SystemError("recv") }
        return Array(buffer[..<count])
    }

    /// `errno` of an attempt to receive; 0 where it does not fail.
    static func failure(_ socket: borrowing Descriptor) -> Int32 {
        socket.withRawValue { number in
            var byte: UInt8 = 0
            return recv(number, &byte, 1, 0) == -1 ? errno : 0
        }
    }

    static func sendAll(_ socket: borrowing Descriptor, _ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = socket.withRawValue { number in
                bytes.withUnsafeBytes { send(number, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL)) }
            }
            guard count > 0 else { throw SystemError("send") }
            sent += count
        }
    }

    static func endOutput(_ socket: borrowing Descriptor) { socket.withRawValue { _ = shutdown($0, Int32(SHUT_WR)) } }

    static func resetOnClose(_ socket: borrowing Descriptor) {
        var none = linger(l_onoff: 1, l_linger: 0)
        socket.withRawValue {
            _ = setsockopt($0, SOL_SOCKET, SO_LINGER, &none, socklen_t(MemoryLayout<linger>.size))
        }
    }

    /// How many clients may wait to be accepted.
    static func queueLength(_ listener: SharedDescriptor) throws -> Int {
        var information = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        let result = try listener.withRawValue {
            getsockopt($0, Int32(IPPROTO_TCP), TCP_INFO, &information, &length)
        }
        guard result == 0 else { throw SystemError("getsockopt") }
        // Of a socket that listens this is its backlog (tcp_get_info).
        return Int(information.tcpi_sacked)
    }

    private static func limit(_ number: Int32) {
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        name.sin_port = port.bigEndian
        return name
    }
}
