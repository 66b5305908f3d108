/// A container's root filesystem.
package struct RootFilesystem: Sendable, Hashable {
    /// Directories of the image's layers, lowest first. `/` stands for the machine's own root (the base image `host`).
    package var layers: [String]
    package var readOnly: Bool

    package init(layers: [String], readOnly: Bool = false) {
        self.layers = layers
        self.readOnly = readOnly
    }
}

/// What a container sees at a path instead of its image's files.
package struct Mount: Sendable, Hashable {
    package enum Source: Sendable, Hashable {
        /// A file or directory of the host.
        case path(String)
        /// What a path within a directory of the host leads to, which is in that directory (`subPath`).
        case subPath(String, of: String)
        /// A memory filesystem with a limit in bytes.
        case memory(limit: Int?)
    }

    package var source: Source
    package var target: String
    package var readOnly: Bool

    package init(source: Source, target: String, readOnly: Bool) {
        self.source = source
        self.target = target
        self.readOnly = readOnly
    }
}
