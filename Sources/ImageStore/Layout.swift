import Glibc
import KubernetesModel
import Linux

/// The files of a store: blobs, the index of names, unpacked layers. All calls block.
///
/// `use.lock` is held shared by whoever adds content that no name needs yet (builds, unpacking), and alone by garbage
/// collection; `index.lock` is held alone by whoever changes `index.json`.
struct Layout: Sendable {
    let root: String
    var unpacking = LayerUnpacking.here

    func prepare() throws(ImageError) {
        // Layers hold programs with the rights of their owners, which only containers are to run.
        try Files.makePrivateDirectory(root)
        if Files.exists(root + "/oci-layout") { return }
        try Files.makeDirectories(root + "/blobs/sha256")
        try Files.makeDirectories(root + "/layers")
        try Files.writeAtomically(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: root + "/oci-layout")
    }

    // MARK: Names

    func index() throws(ImageError) -> Index {
        let path = root + "/index.json"
        guard Files.exists(path) else { return Index(manifests: []) }
        let document = try decode(try Files.read(path), path: path)
        guard let manifests = document["manifests"].array else {
            throw .damaged(path: path, problem: "it has no list \"manifests\"")
        }
        return Index(manifests: manifests)
    }

    func updateIndex<Result>(_ change: (inout Index) throws(ImageError) -> Result) throws(ImageError) -> Result {
        try prepare()
        let lock = try ImageError.mapping { () throws(SystemError) in
            try FileLock(root + "/index.lock", .exclusive)
        }
        var index = try index()
        let result = try change(&index)
        try Files.writeAtomically(index.document.encoded(sorted: true), to: root + "/index.json")
        _ = consume lock
        return result
    }

    /// Finds by reference or, as Docker, by the start of an ID or digest.
    func find(_ name: String) throws(ImageError) -> (descriptor: JSON, reference: Reference?) {
        let index = try index()
        var invalid: ImageError?
        do throws(ImageError) {
            let reference = try Reference(parsing: name)
            if let descriptor = index.find(reference) { return (descriptor, reference) }
            if reference.isHost { return (.null, reference) }
        } catch {
            invalid = error
        }
        let digits = name.hasPrefix("sha256:") ? name.dropFirst(7) : Substring(name)
        var found: [String: JSON] = [:]
        if digits.utf8.count >= 4, digits.utf8.allSatisfy(Digest.isLowerHex) {
            for descriptor in index.manifests {
                let image = try image(descriptor)
                if [image.id, image.digest].contains(where: { $0.dropFirst(7).hasPrefix(digits) }) {
                    found[image.digest] = descriptor
                }
            }
        }
        guard found.count <= 1 else { throw .ambiguous(name) }
        guard let descriptor = found.values.first else {
            if let invalid, !name.hasPrefix("sha256:") { throw invalid }
            throw .notFound(name)
        }
        return (descriptor, nil)
    }

    // MARK: Content

    func blobPath(_ digest: String) throws(ImageError) -> String {
        guard let hex = Digest.hex(digest) else {
            throw .damaged(path: root, problem: "\"\(digest)\" is no SHA-256 digest")
        }
        return "\(root)/blobs/sha256/\(hex)"
    }

    /// Adds a blob of a few bytes; returns its descriptor.
    func add(_ document: JSON, mediaType: String) throws(ImageError) -> JSON {
        let bytes = document.encoded(sorted: true)
        let digest = Digest.of(bytes)
        let path = try blobPath(digest)
        if !Files.exists(path) { try Files.writeAtomically(bytes, to: path) }
        return ["mediaType": .string(mediaType), "digest": .string(digest), "size": JSON(bytes.count)]
    }

    /// What `descriptor` (one of the index, or null for `host`) describes.
    func image(_ descriptor: JSON) throws(ImageError) -> StoredImage {
        if descriptor.isNull {
            let host = ResolvedImage.host
            return StoredImage(
                reference: host.reference, digest: host.digest, id: host.id, size: 0, tagged: nil,
                configuration: host.configuration, manifest: .null,
                configurationDocument: host.configuration.document(diffIDs: [], history: []), layers: [])
        }
        let digest = descriptor["digest"].string ?? ""
        let manifest = try document(digest)
        let id = manifest["config"]["digest"].string ?? ""
        let document = try document(id)
        let blobs = manifest["layers"].items
        let diffIDs = document["rootfs"]["diff_ids"].strings
        guard blobs.count == diffIDs.count else {
            throw .damaged(
                path: try blobPath(digest), problem: "\(blobs.count) layers, but the configuration has \(diffIDs.count)"
            )
        }
        let sizes = blobs.map { $0["size"].int ?? 0 } + [manifest["config"]["size"].int ?? 0]
        return StoredImage(
            reference: descriptor["annotations"][Index.nameAnnotation].string ?? "", digest: digest, id: id,
            size: sizes.reduce(descriptor["size"].int ?? 0, +),
            tagged: descriptor["annotations"][Index.timeAnnotation].string,
            configuration: ImageConfiguration(document: document), manifest: manifest, configurationDocument: document,
            layers: zip(blobs, diffIDs).map { StoredLayer(digest: $0["digest"].string ?? "", diffID: $1) })
    }

    /// A blob of JSON, whose bytes are those that its name says.
    private func document(_ digest: String) throws(ImageError) -> JSON {
        let path = try blobPath(digest)
        let bytes = try ImageError.mapping(path: path) { () throws(SystemError) in
            try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).readRegularFile(limit: Self.maxDocumentSize)
        }
        let found = Digest.of(bytes)
        guard found == digest else { throw .damaged(path: path, problem: "its digest is \(found)") }
        return try decode(bytes, path: path)
    }

    /// Of a manifest or a configuration: what registries are to accept at least (OCI distribution specification).
    static let maxDocumentSize = 4 << 20

    private func decode(_ bytes: [UInt8], path: String) throws(ImageError) -> JSON {
        do throws(JSONDecodingError) {
            return try JSON(decoding: bytes)
        } catch {
            throw .damaged(path: path, problem: error.description)
        }
    }
}

/// `index.json`: an entry a name, the name in an annotation.
struct Index {
    var manifests: [JSON]

    static let nameAnnotation = "org.opencontainers.image.ref.name"
    static let timeAnnotation = "org.opencontainers.image.created"

    var document: JSON {
        [
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": .array(manifests),
        ]
    }

    /// By its tag; by its digest, where it has one, under any tag of that repository.
    func find(_ reference: Reference) -> JSON? {
        guard let digest = reference.digest else {
            return manifests.first { $0["annotations"][Self.nameAnnotation].string == reference.description }
        }
        let repository = "\(reference.domain)/\(reference.path):"
        return manifests.first {
            $0["digest"].string == digest && ($0["annotations"][Self.nameAnnotation].string ?? "").hasPrefix(repository)
        }
    }

    func references(of descriptor: JSON) -> [String] {
        manifests.filter { $0["digest"] == descriptor["digest"] }
            .compactMap { $0["annotations"][Self.nameAnnotation].string }
    }

    /// An image without a name, unless it is there under any.
    mutating func add(_ descriptor: JSON) {
        if !manifests.contains(where: { $0["digest"] == descriptor["digest"] }) {
            manifests.append(entry(descriptor, name: nil))
        }
    }

    mutating func set(_ reference: Reference, to descriptor: JSON) {
        _ = remove([reference.description])
        manifests.removeAll {
            $0["digest"] == descriptor["digest"] && $0["annotations"][Self.nameAnnotation].isNull
        }
        manifests.append(entry(descriptor, name: reference))
    }

    private func entry(_ descriptor: JSON, name: Reference?) -> JSON {
        var entry: JSON = [
            "mediaType": descriptor["mediaType"], "digest": descriptor["digest"], "size": descriptor["size"],
        ]
        entry["annotations"][Self.timeAnnotation] = .string(Timestamp.now.description)
        if let name { entry["annotations"][Self.nameAnnotation] = .string(name.description) }
        return entry
    }

    /// Takes the image away under all of its names; returns them.
    mutating func removeAll(of descriptor: JSON) -> [String] {
        let names = references(of: descriptor)
        manifests.removeAll { $0["digest"] == descriptor["digest"] }
        return names
    }

    /// Returns the names that were there.
    mutating func remove(_ references: [String]) -> [String] {
        let removed = manifests.compactMap { $0["annotations"][Self.nameAnnotation].string }.filter(references.contains)
        manifests.removeAll { references.contains($0["annotations"][Self.nameAnnotation].string ?? "") }
        return removed
    }
}
