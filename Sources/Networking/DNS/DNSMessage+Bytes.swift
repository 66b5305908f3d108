import Addresses

/// Reading and writing the bytes of messages (RFC 1035, section 4).
extension DNSMessage {
    struct Reader {
        let bytes: [UInt8]
        var position: Int

        mutating func uint16() -> UInt16? {
            guard position + 2 <= bytes.count else { return nil }
            defer { position += 2 }
            return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
        }

        mutating func skip(_ count: Int) -> Bool {
            position += count
            return position <= bytes.count
        }

        /// Where the time to live and the data of the next record are, and its type.
        mutating func record() -> (type: UInt16, ttl: Int, data: Range<Int>)? {
            guard name() != nil, let type = uint16(), skip(2) else { return nil }
            let ttl = position
            guard skip(4), let length = uint16() else { return nil }
            let data = position..<position + Int(length)
            return skip(Int(length)) ? (type, ttl, data) : nil
        }

        /// A name of at most 255 bytes, following compression pointers; each must point backwards, so that there is an
        /// end.
        mutating func name() -> [String]? {
            var labels: [String] = []
            var place = position
            var end: Int?
            var lowest = position
            var size = 1
            while place < bytes.count {
                let length = Int(bytes[place])
                if length == 0 {
                    position = end ?? place + 1
                    return labels
                }
                if length & 0xC0 == 0xC0 {
                    guard place + 1 < bytes.count else { return nil }
                    let target = (length & 0x3F) << 8 | Int(bytes[place + 1])
                    if end == nil { end = place + 2 }
                    guard target < lowest else { return nil }
                    lowest = target
                    place = target
                } else {
                    size += 1 + length
                    guard length < 64, place + 1 + length <= bytes.count, size <= 255 else { return nil }
                    labels.append(Self.label(bytes[(place + 1)..<(place + 1 + length)]))
                    place += 1 + length
                }
            }
            return nil
        }

        private static func label(_ bytes: ArraySlice<UInt8>) -> String {
            var text = String.UnicodeScalarView()
            for byte in bytes { text.append(Unicode.Scalar((65...90).contains(byte) ? byte + 32 : byte)) }
            return String(text)
        }
    }

    struct Writer {
        var bytes: [UInt8] = []
        /// Where names that were written begin, for compression pointers.
        private var places: [[String]: Int] = [:]

        mutating func uint16(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(value & 0xFF)] }

        mutating func uint32(_ value: UInt32) {
            uint16(UInt16(value >> 16))
            uint16(UInt16(value & 0xFFFF))
        }

        mutating func set(_ value: UInt16, at position: Int) {
            bytes[position] = UInt8(value >> 8)
            bytes[position + 1] = UInt8(value & 0xFF)
        }

        mutating func name(_ labels: [String]) {
            var rest = labels[...]
            while let label = rest.first {
                if let place = places[Array(rest)] { return uint16(0xC000 | UInt16(place)) }
                if bytes.count < 0x4000 { places[Array(rest)] = bytes.count }
                let text = label.unicodeScalars.prefix(63).map { UInt8(truncatingIfNeeded: $0.value) }
                bytes.append(UInt8(text.count))
                bytes += text
                rest = rest.dropFirst()
            }
            bytes.append(0)
        }

        mutating func record(_ record: Record) {
            let known = places
            name(record.name)
            uint16(record.type)
            uint16(1)
            uint32(record.ttl)
            let length = bytes.count
            uint16(0)
            switch record.value {
            case .a(let address): bytes += IPv4Address(address)?.bytes ?? []
            case .cname(let target), .ptr(let target): name(target)
            case .srv(let priority, let weight, let port, let target):
                for value in [priority, weight, port] { uint16(value) }
                name(target)
            case .txt(let text):
                let part = Array(text.utf8.prefix(255))
                bytes.append(UInt8(part.count))
                bytes += part
            case .soa(let primary, let mailbox, let serial, let minimum):
                name(primary)
                name(mailbox)
                for value in [serial, 7200, 1800, 86_400, minimum] { uint32(value) }
            }
            set(UInt16(bytes.count - length - 2), at: length)
            // A record that is taken back must leave no pointer to it; keeping only what the question gave is enough.
            places = known
        }
    }
}
