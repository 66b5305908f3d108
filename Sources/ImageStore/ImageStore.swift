import KubernetesModel
import Linux

/// ImageStore: images as OCI content on disk, their references, their unpacked layers, and the builder of Dockerfiles.
///
/// The store is an OCI image layout (`oci-layout`, `index.json`, `blobs/sha256/`), which other OCI tools can read, with
/// the layers unpacked once beside it (`layers/`), where all containers share them as overlay directories. Several
/// processes use one store at the same time. It never talks to a registry, mounts nothing and starts nothing.
///
/// All work blocks, on a thread of the store's own, so callers' threads and the cooperative pool stay free.
public actor ImageStore {
    /// The directory of the store.
    public nonisolated let root: String
    let layout: Layout
    private let executor = BlockingExecutor()

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// A store at `root`; its directories are made by the first write.
    public init(root: String, unpacking: LayerUnpacking = .here) {
        self.root = root
        layout = Layout(root: root, unpacking: unpacking)
    }

    /// The image that `reference` names, with its layers unpacked.
    ///
    /// - Throws: `ImageError.invalidReference`, `.notFound`, `.notRunnable` (`scratch`), `.damaged`.
    public func resolve(_ reference: String) throws(ImageError) -> ResolvedImage {
        let parsed = try Reference(parsing: reference)
        if parsed.isScratch { throw .notRunnable("\"scratch\" is the empty image: it has no program to run") }
        if parsed.isHost { return .host }
        guard let descriptor = try layout.index().find(parsed) else { throw .notFound(parsed.familiar) }
        let image = try layout.image(descriptor)
        var layers: [String] = image.isOnHost ? ["/"] : []
        for layer in image.layers {
            layers.append(try layout.unpacked(layer))
        }
        return ResolvedImage(
            reference: parsed.description, digest: image.digest, id: image.id, layers: layers,
            configuration: image.configuration)
    }

    /// Every reference in the store, sorted.
    public func list() throws(ImageError) -> [StoredImage] {
        var images: [StoredImage] = []
        for descriptor in try layout.index().manifests {
            images.append(try layout.image(descriptor))
        }
        return images.sorted { $0.reference < $1.reference }
    }

    /// One image, named by a reference or by the start of its ID or digest; also `host`.
    public func inspect(_ name: String) throws(ImageError) -> StoredImage {
        try layout.image(try layout.find(name).descriptor)
    }

    /// Gives the image `source` (a reference, or an ID's start) one more name.
    public func tag(_ source: String, as target: String) throws(ImageError) {
        let reference = try Reference(taggable: target)
        let found = try layout.find(source)
        try layout.updateIndex { index throws(ImageError) in index.set(reference, to: found.descriptor) }
        try layout.collectGarbage()
    }

    /// Takes a name away (or, for an ID, all of the image's names) and removes what no name needs any more.
    ///
    /// Layer directories that a running container has mounted stay until the next removal.
    /// - Returns: the names that were removed.
    @discardableResult
    public func remove(_ name: String) throws(ImageError) -> [String] {
        if let reference = try? Reference(parsing: name), reference.isHost || reference.isScratch {
            throw .reserved(reference.familiar)
        }
        let found = try layout.find(name)
        let removed = try layout.updateIndex { index throws(ImageError) in
            found.reference.map { index.remove([$0.description]) } ?? index.removeAll(of: found.descriptor)
        }
        try layout.collectGarbage()
        return removed
    }
}

/// Where layers, which others wrote, are unpacked.
public enum LayerUnpacking: Sendable, Hashable {
    /// In this process.
    case here
    /// In a child without rights: this program, which has `LayerChild.main` as a subcommand, or another.
    case child(program: String)

    public static let ownProgram = LayerUnpacking.child(program: "/proc/self/exe")
}

extension ImageStore {
    /// Who runs an image's program: `user` as a Dockerfile's `USER` has it, `NAME|NUMBER[:GROUP]`, empty for root.
    ///
    /// Names are those of the image's own `/etc/passwd` and `/etc/group`. The group of an unknown number is 0.
    public func identity(of user: String, in image: ResolvedImage) throws(ImageError) -> Identity {
        let names = try UserNames(LayerStack(layers: image.layers))
        let (id, group) = user.isEmpty ? (0, 0) : try names.identity(user)
        return Identity(user: id, group: group ?? 0, supplementaryGroups: names.supplementaryGroups(of: id))
    }
}

public struct Identity: Sendable, Hashable {
    public let user: UInt32
    public let group: UInt32
    public let supplementaryGroups: [UInt32]
}

/// An image, ready for a container.
public struct ResolvedImage: Sendable, Hashable {
    /// The full reference by which it was found, such as `docker.io/library/hello:1.0.0`.
    public let reference: String
    /// The manifest's digest, `sha256:…`.
    public let digest: String
    /// The configuration's digest, `sha256:…`: what Docker calls the image's ID.
    public let id: String
    /// The directories of the layers, lowest first; `/` is the machine's own root (base image `host`).
    ///
    /// They stay while a mount names them or while the image has a name: resolve again before each new mount.
    public let layers: [String]
    public let configuration: ImageConfiguration

    /// The base image `host`: the machine's own root filesystem.
    public static let host: ResolvedImage = {
        let bytes = StoredImage.hostConfiguration.document(diffIDs: [], history: []).encoded(sorted: true)
        let id = Digest.of(bytes)
        return ResolvedImage(
            reference: "docker.io/library/host:latest", digest: id, id: id, layers: ["/"],
            configuration: StoredImage.hostConfiguration)
    }()
}

/// What the store knows of an image under one name.
public struct StoredImage: Sendable {
    /// The full reference; for `host` its own.
    public let reference: String
    public let digest: String
    public let id: String
    /// Bytes of the manifest, the configuration and the layers.
    public let size: Int
    /// When this name was given, RFC 3339; nil for `host`.
    public let tagged: String?
    public let configuration: ImageConfiguration
    /// The manifest and the configuration as they are stored.
    public let manifest: JSON
    public let configurationDocument: JSON
    let layers: [StoredLayer]

    public var layerDigests: [String] { layers.map(\.digest) }
    public var isOnHost: Bool { configuration.isOnHost }

    static let hostConfiguration = ImageConfiguration(
        environment: [ImageConfiguration.defaultPath], command: ["/bin/sh"],
        labels: [ImageConfiguration.baseLabel: "host"])
}

/// A layer's blob and what it holds.
struct StoredLayer: Sendable {
    /// Of the blob as stored, compressed or not.
    let digest: String
    /// Of the tar in it.
    let diffID: String
}
