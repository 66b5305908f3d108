import NIOCore

extension NetworkProbe {
    struct HTTPRequest: Sendable {
        var host: String
        var port: Int
        var path: String
        var isTLS = false
        /// In order; `Host` and `User-Agent` in it take the place of the usual ones.
        var headers: [(name: String, value: String)] = []

        var url: String { "\(isTLS ? "https" : "http")://\(host):\(port)\(path)" }

        var text: String {
            var text = "GET \(path) HTTP/1.1\r\n"
            func has(_ name: String) -> Bool { headers.contains { $0.name.lowercased() == name } }
            if !has("host") { text += "Host: \(host):\(port)\r\n" }
            if !has("user-agent") { text += "User-Agent: kube-probe/1.33\r\n" }
            if !has("accept") { text += "Accept: */*\r\n" }
            for header in headers { text += "\(header.name): \(header.value)\r\n" }
            return text + "Connection: close\r\n\r\n"
        }

        /// The request that follows an answer's redirection; nil where there is none, or to another host.
        func following(_ answer: HTTPAnswer) -> HTTPRequest? {
            guard [301, 302, 303, 307, 308].contains(answer.code), let location = answer.location,
                let next = redirected(to: location), next.host == host
            else { return nil }
            return next
        }

        /// The request that a `Location` asks for; nil for what is no HTTP.
        func redirected(to location: String) -> HTTPRequest? {
            var next = self
            var rest = location[...]
            if let schemeEnd = location.firstRange(of: "://") {
                let scheme = location[..<schemeEnd.lowerBound].lowercased()
                guard scheme == "http" || scheme == "https" else { return nil }
                next.isTLS = scheme == "https"
                rest = location[schemeEnd.upperBound...]
            } else if location.hasPrefix("//") {
                rest = rest.dropFirst(2)
            } else {
                if !location.hasPrefix("/") {
                    let directory = path.prefix { $0 != "?" }
                    rest = directory[...(directory.lastIndex(of: "/") ?? directory.startIndex)] + rest
                }
                next.path = String(rest.prefix { $0 != "#" })
                return next
            }
            let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            let path = rest.dropFirst(authority.count).prefix { $0 != "#" }
            let parts = authority.split(separator: ":", maxSplits: 1)
            guard let host = parts.first else { return nil }
            next.host = String(host)
            next.port = parts.count == 2 ? Int(parts[1]) ?? 0 : next.isTLS ? 443 : 80
            next.path = path.hasPrefix("/") ? String(path) : "/" + path
            return next
        }
    }

    /// The part of an answer that a probe reads.
    struct HTTPAnswer: Sendable, Equatable {
        var code: Int
        var location: String?
        /// The body's length, where the head has it.
        var length: Int?
        /// The beginning of the body, where it was asked for.
        var body = ""

        struct Closed: Error {}

        /// Reads an answer's head (RFC 9112) without what follows it; nil for what is none.
        init?(head: String) {
            let lines = head.split(whereSeparator: \.isNewline)
            let words = (lines.first ?? "").split(separator: " ")
            guard words.count >= 2, words[0].hasPrefix("HTTP/"), let code = Int(words[1]) else { return nil }
            self.code = code
            for line in lines.dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { continue }
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                switch line[..<colon].lowercased() {
                case "location": location = String(value)
                case "content-length": length = Int(value).map { max(0, $0) }
                default: break
                }
            }
        }

        /// Reads an answer's head, and the beginning of its body where that is wanted.
        final class Reader: ChannelInboundHandler {
            typealias InboundIn = ByteBuffer

            private static let longest = 1 << 16
            /// As the kubelet.
            private static let maxBody = 10 << 10

            private let answer: EventLoopPromise<HTTPAnswer>
            private let wantsBody: @Sendable (HTTPAnswer) -> Bool
            private var received: [UInt8] = []
            /// The answer whose body is being read.
            private var head: HTTPAnswer?

            init(_ answer: EventLoopPromise<HTTPAnswer>, wantsBody: @escaping @Sendable (HTTPAnswer) -> Bool) {
                self.answer = answer
                self.wantsBody = wantsBody
            }

            func channelRead(context: ChannelHandlerContext, data: NIOAny) {
                received += unwrapInboundIn(data).readableBytesView
                if head != nil { return readBody(isOver: false) }
                while let end = Self.headEnd(received) ?? (received.count > Self.longest ? Self.longest : nil) {
                    guard let answer = HTTPAnswer(head: String(decoding: received[..<end], as: UTF8.self)) else {
                        return malformed()
                    }
                    // An interim answer; the final one follows it.
                    received.removeFirst(end)
                    guard 100..<200 ~= answer.code, answer.code != 101 else {
                        guard wantsBody(answer) else { return self.answer.succeed(answer) }
                        head = answer
                        return readBody(isOver: false)
                    }
                }
                // Without this a server that speaks something else would have the whole timeout.
                if received.count >= 5, !received.starts(with: "HTTP/".utf8) { malformed() }
            }

            /// Where the blank line ends that ends a head.
            static func headEnd(_ bytes: [UInt8]) -> Int? {
                let (newline, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
                for index in bytes.indices where bytes[index] == newline {
                    var next = index + 1
                    if next < bytes.count, bytes[next] == carriageReturn { next += 1 }
                    if next < bytes.count, bytes[next] == newline { return next + 1 }
                }
                return nil
            }

            private func readBody(isOver: Bool) {
                guard var head else { return }
                let wanted = min(head.length ?? .max, Self.maxBody)
                guard isOver || received.count >= wanted else { return }
                head.body = String(decoding: received.prefix(wanted), as: UTF8.self)
                answer.succeed(head)
            }

            private func malformed() { answer.fail(Failure(description: "malformed HTTP response")) }

            func channelInactive(context: ChannelHandlerContext) {
                if head == nil { answer.fail(Closed()) } else { readBody(isOver: true) }
            }
            func errorCaught(context: ChannelHandlerContext, error: any Error) {
                answer.fail(error)
                context.close(promise: nil)
            }
        }
    }
}
