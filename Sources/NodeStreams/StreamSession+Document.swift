import KubernetesModel

extension StreamSession {
    /// What a node agent answers to a request for one document, such as `statistics`.
    ///
    /// - Throws: `ServiceUnavailable` where the agent has not answered within the limit.
    public static func document(
        _ request: StreamRequest, from socket: String, within limit: Duration = .seconds(2)
    ) async throws -> JSON {
        try await withThrowingTaskGroup(of: JSON?.self) { group in
            group.addTask { try await read(request, from: socket) }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let document = try await group.next() ?? nil else {
                throw Status.serviceUnavailable("the node agent at \(socket) has not answered within \(limit)")
            }
            return document
        }
    }

    private static func read(_ request: StreamRequest, from socket: String) async throws -> JSON {
        let session = try await open(socket: socket, request)
        var bytes: [UInt8] = []
        while let frame = try await session.next(), frame.channel == .stdout { bytes += frame.payload }
        await session.close()
        return try JSON(decoding: bytes)
    }
}
