import KubernetesModel
import NodeStreams

extension FuzzTarget {
    /// Frames between the API server and a node agent, in pieces as above, and the request in the first one.
    static let nodeStreams = FuzzTarget("node-streams") { input in
        guard let size = input.first.map({ Int($0) + 1 }) else { return }
        let bytes = input.dropFirst()
        var parser = StreamFrameParser()
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: size) {
            parser.feed(bytes[start..<min(start + size, bytes.endIndex)])
            while let frame = try? parser.next() {
                guard let json = try? frame.json() else { continue }
                if frame.channel == .resize { _ = TerminalSize(json) }
                guard frame.channel == .request, let request = try? StreamRequest(json) else { continue }
                try require(try StreamRequest(request.json) == request, "\(request.json) is another request")
            }
        }
    }
}
