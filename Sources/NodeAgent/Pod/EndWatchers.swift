import PodRuntime

/// Who waits for the ends of a pod's containers.
struct EndWatchers {
    private var watchers: [ContainerID: [AsyncStream<Void>.Continuation]] = [:]

    /// Ends with the run.
    mutating func watch(_ id: ContainerID) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        watchers[id, default: []].append(continuation)
        return stream
    }

    mutating func ended(_ id: ContainerID) {
        for watcher in watchers.removeValue(forKey: id) ?? [] { watcher.finish() }
    }

    mutating func endAll() {
        for watcher in watchers.values.joined() { watcher.finish() }
        watchers = [:]
    }
}
