import KubernetesModel

/// A line of a CRI log: `2006-01-02T15:04:05.000000000Z stdout F text`.
struct LogLine: Equatable {
    /// As written.
    let time: ArraySlice<UInt8>
    /// With its newline, unless the line is only the first part of what the program wrote (`P`).
    let content: [UInt8]

    init?(_ bytes: ArraySlice<UInt8>) {
        let parts = bytes.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        time = parts[0]
        content = Array(parts[3]) + (parts[2].first == UInt8(ascii: "P") ? [] : [UInt8(ascii: "\n")])
    }
}

/// Chooses the lines of a log that a request wants.
struct LogFilter {
    /// RFC 3339 in UTC with nine decimals, so that times compare as texts do.
    private let since: [UInt8]?
    private let timestamps: Bool
    private var bytesLeft: Int?
    private var isAtLineStart = true

    init(since: Timestamp?, timestamps: Bool, limitBytes: Int?) {
        self.since = since.map { Array($0.nano.utf8) }
        self.timestamps = timestamps
        bytesLeft = limitBytes
    }

    var isSatisfied: Bool { bytesLeft == 0 }

    /// Appends what is to be sent of one line.
    mutating func append(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        guard !isSatisfied, let line = LogLine(bytes) else { return }
        if let since, line.time.lexicographicallyPrecedes(since) { return }
        // A line that comes in parts has one time.
        var text = timestamps && isAtLineStart ? Array(line.time) + [UInt8(ascii: " ")] : []
        text += line.content
        isAtLineStart = line.content.last == UInt8(ascii: "\n")
        if let left = bytesLeft {
            text = Array(text.prefix(left))
            bytesLeft = left - text.count
        }
        output += text
    }
}
