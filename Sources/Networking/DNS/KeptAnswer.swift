/// An answer of a name server, and for how long it may be given again (RFC 2308 for those that say that there is none).
struct KeptAnswer: Sendable {
    private let bytes: [UInt8]
    /// Where the times to live of its records are.
    private let places: [Int]
    private let received: ContinuousClock.Instant
    private let lifetime: UInt32

    /// What a server says beyond these is not believed.
    static let maxLifetime: UInt32 = 3600
    static let maxNegativeLifetime: UInt32 = 30

    /// - Returns: nil for an answer that may not be kept.
    init?(_ bytes: [UInt8], received: ContinuousClock.Instant) {
        var reader = DNSMessage.Reader(bytes: bytes, position: 4)
        guard let questions = reader.uint16(), let answers = reader.uint16(), let authority = reader.uint16(),
            let additional = reader.uint16(), questions == 1, reader.name() != nil, let wanted = reader.uint16(),
            reader.skip(2), bytes[2] & 0x02 == 0
        else { return nil }
        let code = bytes[3] & 0x0F
        guard code == DNSMessage.ResponseCode.noError.rawValue || code == DNSMessage.ResponseCode.nameError.rawValue
        else { return nil }
        var lifetime = Self.maxLifetime
        var places: [Int] = []
        var isPositive = false
        var negative: UInt32?
        for index in 0..<(Int(answers) + Int(authority) + Int(additional)) {
            guard let record = reader.record() else { return nil }
            if record.type == DNSMessage.RecordType.opt { continue }
            places.append(record.ttl)
            lifetime = min(lifetime, Self.number(bytes, record.ttl))
            if index < Int(answers) {
                if record.type == wanted || wanted == DNSMessage.RecordType.any { isPositive = true }
            } else if record.type == DNSMessage.RecordType.soa, record.data.count >= 4 {
                negative = Self.number(bytes, record.data.upperBound - 4)
            }
        }
        if !isPositive || code != DNSMessage.ResponseCode.noError.rawValue {
            guard let negative else { return nil }
            lifetime = min(lifetime, negative, Self.maxNegativeLifetime)
        }
        guard lifetime > 0 else { return nil }
        self.bytes = bytes
        self.places = places
        self.received = received
        self.lifetime = lifetime
    }

    var size: Int { bytes.count + places.count * MemoryLayout<Int>.size }

    /// The answer with the times to live that are left; nil once they are over.
    func answer(at now: ContinuousClock.Instant) -> [UInt8]? {
        let age = (now - received).components.seconds
        guard age < Int64(lifetime) else { return nil }
        guard age > 0 else { return bytes }
        var answer = bytes
        for place in places {
            let left = Self.number(bytes, place) - UInt32(age)
            for (index, shift) in [24, 16, 8, 0].enumerated() {
                answer[place + index] = UInt8(truncatingIfNeeded: left >> UInt32(shift))
            }
        }
        return answer
    }

    private static func number(_ bytes: [UInt8], _ place: Int) -> UInt32 {
        bytes[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
