/// What a container's mounts need to know of a volume.
struct MountableVolume: Sendable, Equatable {
    let path: String
    /// Its content is the node's to write: containers have it read-only, and a `subPath` has to be there.
    var isGenerated = false
    /// Where nothing is at `path` when a container starts, a directory is made.
    var isMadeOnMount = false
}
