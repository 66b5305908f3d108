import Addresses
import Glibc
import Linux

/// The host-side sockets of a cluster: bound here, in the host's namespace, and handed to whoever serves them.
///
/// Each stays open here too, so that connections wait while the one that serves them is started again; and in the holder
/// of the cluster's namespaces, so that they wait also while this process is.
struct HostPorts {
    struct Address: Hashable {
        var address: String
        var port: Int
        /// `TCP` or `UDP`
        var transport: String
    }

    private struct Bound {
        var descriptor: SharedDescriptor
        /// Where the keeper has it.
        var place: Int32?
    }

    private var bound: [Address: Bound] = [:]
    private var keeper: SocketKeeper?
    private var requests: UInt32 = 0

    var addresses: Set<Address> { Set(bound.keys) }

    /// The socket for an address, bound now or earlier.
    ///
    /// - Parameter namespace: the network namespace in which it is bound; nil for this process's own.
    mutating func bind(_ address: Address, in namespace: SharedDescriptor? = nil) throws(SystemError)
        -> SharedDescriptor
    {
        if let known = bound[address] { return known.descriptor }
        let descriptor = SharedDescriptor(try Self.open(address, in: namespace))
        add(address, descriptor)
        return descriptor
    }

    /// Shares the sockets that an earlier supervisor gave to a process, where it still has them: those that are `wanted`.
    ///
    /// - Returns: the addresses of those that it has.
    @discardableResult
    mutating func takeOver(from pid: pid_t, _ wanted: (Address) -> Bool) -> Set<Address> {
        var found: Set<Address> = []
        for name in (try? listDirectory("/proc/\(pid)/fd")) ?? [] {
            guard let number = Int32(name), number > 2, let descriptor = try? duplicateDescriptor(number, of: pid),
                let address = descriptor.withRawValue({ Self.address(of: $0) }), wanted(address)
            else { continue }
            found.insert(address)
            if bound[address] == nil { add(address, SharedDescriptor(descriptor)) }
        }
        return found
    }

    /// Has all sockets kept by the holder of the cluster's namespaces, and shares those that it keeps already.
    mutating func keep(by holder: pid_t) throws(SystemError) {
        let keeper = try SocketKeeper(of: holder)
        self.keeper = keeper
        for address in bound.keys { bound[address]?.place = nil }
        for (place, descriptor) in keeper.kept() {
            let address = (try? descriptor.withRawValue { Self.address(of: $0) }).flatMap { $0 }
            if let address, bound[address]?.place == nil {
                bound[address] = Bound(descriptor: bound[address]?.descriptor ?? descriptor, place: place)
            } else {
                requests += 1
                try keeper.drop(place, sequence: requests)
            }
        }
        for (address, known) in bound where known.place == nil { add(address, known.descriptor) }
    }

    private mutating func add(_ address: Address, _ descriptor: SharedDescriptor) {
        bound[address] = Bound(descriptor: descriptor)
        guard let keeper else { return }
        let taken = Set(bound.values.compactMap(\.place))
        guard let place = SocketKeeper.places.first(where: { !taken.contains($0) }) else { return }
        requests += 1
        // Without it all goes on; it is bound anew where this process dies.
        if (try? keeper.keep(descriptor, at: place, sequence: requests)) != nil { bound[address]?.place = place }
    }

    /// Whoever else has the socket keeps it, but for the holder.
    mutating func release(_ address: Address) {
        guard let known = bound.removeValue(forKey: address), let place = known.place, let keeper else { return }
        requests += 1
        try? keeper.drop(place, sequence: requests)
    }

    /// Closes what is open here. The holder ends with the cluster.
    mutating func releaseAll() { bound = [:] }

    /// The port that a socket got.
    static func port(of descriptor: borrowing Descriptor) -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        descriptor.withRawValue { number in
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(number, $0, &length) }
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// What an IPv4 socket that awaits others is bound to; nil for any other descriptor.
    private static func address(of descriptor: Int32) -> Address? {
        func option(_ name: Int32) -> Int32? {
            var value: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
        }
        guard option(SO_DOMAIN) == AF_INET, let kind = option(SO_TYPE) else { return nil }
        let stream = kind == Int32(SOCK_STREAM.rawValue)
        guard !stream || option(SO_ACCEPTCONN) == 1 else { return nil }
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return nil }
        return Address(
            address: IPv4Address(UInt32(bigEndian: name.sin_addr.s_addr)).description,
            port: Int(UInt16(bigEndian: name.sin_port)), transport: stream ? "TCP" : "UDP")
    }

    static func open(
        _ address: Address, in namespace: SharedDescriptor? = nil
    ) throws(SystemError) -> Descriptor {
        let subject = "\(address.address):\(address.port)/\(address.transport)"
        let stream = address.transport == "TCP"
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(truncatingIfNeeded: address.port).bigEndian
        guard let host = IPv4Address(address.address), (0...65_535).contains(address.port) else {
            throw SystemError("bind", errno: EINVAL, subject)
        }
        name.sin_addr.s_addr = host.value.bigEndian
        let kind = Int32((stream ? SOCK_STREAM : SOCK_DGRAM).rawValue)
        let descriptor = try makeSocket(in: namespace, domain: AF_INET, type: kind)
        try descriptor.withRawValue { number throws(SystemError) in
            var on: Int32 = 1
            if stream { setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size)) }
            let result = withUnsafePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0, !stream || listen(number, 4096) == 0 else { throw SystemError("bind", subject) }
        }
        return descriptor
    }
}
