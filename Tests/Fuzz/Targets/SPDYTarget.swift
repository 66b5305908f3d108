import NIOCore

@testable import APIServer

extension FuzzTarget {
    /// The first byte cuts the rest into pieces, as a network does: the same frames come out. Their header blocks are
    /// decompressed as a connection does it.
    static let spdy = FuzzTarget("spdy", maxLength: 4096) { input in
        guard let size = input.first.map({ Int($0) + 1 }) else { return }
        let bytes = input.dropFirst()
        var whole = SPDYFrame.Parser()
        guard let frames = try? whole.feed(bytes) else { return }
        var cut = SPDYFrame.Parser()
        var found: [SPDYFrame] = []
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: size) {
            found += try cut.feed(bytes[start..<min(start + size, bytes.endIndex)])
        }
        try require(found == frames, "\(frames.count) frames, and \(found.count) where they come in pieces")
        let codec = SPDYHeaderCodec()
        for frame in frames {
            var again = SPDYFrame.Parser()
            if frame != .other {
                try require(try again.feed(frame.encoded) == [frame], "\(frame) is encoded otherwise")
            }
            switch frame {
            case .synStream(_, let block, _), .headers(_, let block), .synReply(_, let block):
                guard let headers = try? codec.decode(block) else { return }
                let copy = try SPDYHeaderCodec().decode(SPDYHeaderCodec().encode(headers))
                try require(copy == headers, "\(headers) are encoded otherwise")
            case .data(_, let bytes, _): _ = CommandInput(resize: bytes)
            default: break
            }
        }
    }
}
