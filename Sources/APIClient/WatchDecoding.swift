import KubernetesModel
import NIOCore

extension WatchEvent {
    /// Reads one line of a watch's answer; nil for a type of event that this client does not know.
    ///
    /// - Throws: the `Status` of an `ERROR` event.
    init?(line: ByteBufferView) throws {
        let json = try JSON(decoding: line)
        let object = Object(json["object"])
        switch json["type"].string {
        case "ADDED": self = .added(object)
        case "MODIFIED": self = .modified(object)
        case "DELETED": self = .deleted(object)
        case "BOOKMARK": self = .bookmark(resourceVersion: object.resourceVersion)
        case "ERROR": throw Status(object.json) ?? Status.internalError("a watch failed: \(object.json)")
        default: return nil
        }
    }
}

/// Cuts a stream of bytes into lines.
struct LineSplitter {
    private var rest = ByteBuffer()
    /// How much of `rest` is known to hold no line's end.
    private var searched = 0

    /// The lines that `part` completes, without their ends and without empty ones.
    mutating func feed(_ part: ByteBuffer) -> [ByteBufferView] {
        var part = part
        if rest.readableBytes == 0 { rest = part } else { rest.writeBuffer(&part) }
        var lines: [ByteBufferView] = []
        while true {
            let view = rest.readableBytesView
            guard let end = view[(view.startIndex + searched)...].firstIndex(of: UInt8(ascii: "\n")) else {
                searched = rest.readableBytes
                break
            }
            if end > view.startIndex { lines.append(view[..<end]) }
            rest.moveReaderIndex(forwardBy: end - view.startIndex + 1)
            searched = 0
        }
        rest.discardReadBytes()
        return lines
    }
}
