import KubernetesModel
import Synchronization

/// One version of an object: shared, never changed.
public final class StoredObject: Sendable {
    public let key: String
    /// The revision that made this version, also in `metadata.resourceVersion`.
    public let revision: Int64
    /// The revision that made the object.
    public let createRevision: Int64
    /// The object as JSON text: what is sent to every reader and watcher.
    public let bytes: [UInt8]
    /// The decoded form, which an old version lets go.
    private let decoded: Mutex<Object?>

    public var object: Object {
        decoded.withLock { decoded in
            if let decoded { return decoded }
            guard let json = try? JSON(decoding: bytes) else {
                // The bytes are what this process encoded, or decoded once when it opened the database.
                preconditionFailure("\(key) at revision \(revision) does not decode")
            }
            let object = Object(json)
            decoded = object
            return object
        }
    }

    init(key: String, revision: Int64, createRevision: Int64, bytes: [UInt8], object: Object?) {
        self.key = key
        self.revision = revision
        self.createRevision = createRevision
        self.bytes = bytes
        decoded = Mutex(object)
    }

    /// Frees the decoded form, several times the size of the text, until someone asks for it again.
    func releaseDecoded() { decoded.withLock { $0 = nil } }

    /// This version as its deletion reports it.
    func deleted(at revision: Int64) -> StoredObject {
        var object = object
        object.metadata["resourceVersion"] = .string(String(revision))
        let bytes = EncodedObject(self).bytes(at: revision)
        return StoredObject(
            key: key, revision: revision, createRevision: createRevision, bytes: bytes, object: object)
    }
}

/// An object's text but for its revision, which is known only when the write's turn has come. So a writer encodes its
/// object by itself, at the same time as others, and the one thread that orders them only copies bytes.
struct EncodedObject: Sendable {
    private let bytes: [UInt8]
    /// Where the revision's digits go.
    private let offset: Int

    private static let opening = Array("\"metadata\":{\"resourceVersion\":\"".utf8)

    init(_ object: Object) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024)
        func member(_ key: String, _ value: JSON) {
            JSON.string(key).encode(into: &bytes)
            bytes.append(UInt8(ascii: ":"))
            value.encode(into: &bytes)
        }
        bytes.append(UInt8(ascii: "{"))
        for key in ["kind", "apiVersion"] where !object[key].isNull {
            member(key, object[key])
            bytes.append(UInt8(ascii: ","))
        }
        bytes.append(contentsOf: Self.opening)
        offset = bytes.count
        bytes.append(UInt8(ascii: "\""))
        for (key, value) in object.metadata.object ?? [:] where key != "resourceVersion" {
            bytes.append(UInt8(ascii: ","))
            member(key, value)
        }
        bytes.append(UInt8(ascii: "}"))
        for (key, value) in object.json.object ?? [:] where !["kind", "apiVersion", "metadata"].contains(key) {
            bytes.append(UInt8(ascii: ","))
            member(key, value)
        }
        bytes.append(UInt8(ascii: "}"))
        self.bytes = bytes
    }

    /// Takes the revision out of a stored object's text.
    init(_ stored: StoredObject) {
        // A quote inside a string is escaped, so the first match is the object's own metadata.
        let start = stored.bytes.firstRange(of: Self.opening)?.upperBound
        guard let start else { preconditionFailure("\(stored.key) was not encoded by the store") }
        offset = start
        bytes = Array(stored.bytes[..<start] + stored.bytes[start...].drop { $0 != UInt8(ascii: "\"") })
    }

    func bytes(at revision: Int64) -> [UInt8] {
        let digits = String(revision).utf8
        return [UInt8](unsafeUninitializedCapacity: bytes.count + digits.count) { buffer, count in
            _ = buffer.update(fromContentsOf: bytes[..<offset])
            _ = buffer[offset...].update(fromContentsOf: digits)
            _ = buffer[(offset + digits.count)...].update(fromContentsOf: bytes[offset...])
            count = bytes.count + digits.count
        }
    }
}
