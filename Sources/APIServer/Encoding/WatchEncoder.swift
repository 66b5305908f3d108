import APIMachinery
import Kinds
import KubernetesModel
import NIOCore
import Store
import Synchronization

/// Encodes a watch's notices as `meta/v1 WatchEvent`s.
final class WatchEncoder: Sendable {
    private let encoding: Encoding
    private let resource: Kind
    private let include: Table.IncludeObject
    /// Column definitions come with a watch's first table only.
    private let isFirst = Mutex(true)

    init(_ encoding: Encoding, _ resource: Kind, _ include: Table.IncludeObject) {
        self.encoding = encoding
        self.resource = resource
        self.include = include
    }

    /// Notices in parts of about so many bytes, or of one notice that is longer.
    static func parts(of notices: [WatchNotice], maxBytes: Int) -> [ArraySlice<WatchNotice>] {
        var parts: [ArraySlice<WatchNotice>] = []
        var (start, bytes) = (0, 0)
        for (index, notice) in notices.enumerated() {
            let size = size(of: notice)
            if index > start, bytes + size > maxBytes {
                parts.append(notices[start..<index])
                (start, bytes) = (index, 0)
            }
            bytes += size
        }
        if start < notices.count { parts.append(notices[start...]) }
        return parts
    }

    func encode(_ notices: ArraySlice<WatchNotice>) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(notices.reduce(0) { $0 + Self.size(of: $1) })
        for notice in notices {
            switch notice {
            case .added(let stored): event("ADDED", stored, &bytes)
            case .modified(let stored): event("MODIFIED", stored, &bytes)
            case .deleted(let stored): event("DELETED", stored, &bytes)
            case .left(let object): event("DELETED", json(object), &bytes)
            case .bookmark(let revision, let isEnd): event("BOOKMARK", bookmark(revision, isEnd), &bytes)
            case .failed(let status): event("ERROR", status.json, &bytes)
            }
        }
        return bytes
    }

    /// About how many bytes a notice takes, where that is known without encoding it.
    private static func size(of notice: WatchNotice) -> Int {
        switch notice {
        case .added(let stored), .modified(let stored), .deleted(let stored): stored.bytes.count + 32
        case .left, .bookmark, .failed: 256
        }
    }

    private func event(_ type: String, _ stored: StoredObject, _ bytes: inout ByteBuffer) {
        guard encoding.form == .object else { return event(type, json(stored.object), &bytes) }
        bytes.writeString("{\"type\":\"\(type)\",\"object\":")
        if resource.isStorageVersion {
            bytes.writeBytes(stored.bytes)
        } else {
            bytes.writeImmutableBuffer(Encoding.bytes(stored, resource))
        }
        bytes.writeString("}\n")
    }

    private func event(_ type: String, _ json: JSON, _ bytes: inout ByteBuffer) {
        bytes.writeString("{\"type\":\"\(type)\",\"object\":")
        bytes.writeBytes(json.encoded())
        bytes.writeString("}\n")
    }

    private func json(_ object: Object) -> JSON {
        guard case .table = encoding.form else { return encoding.json(object, resource) }
        let isFirst = isFirst.withLock { isFirst in
            defer { isFirst = false }
            return isFirst
        }
        return encoding.json(object, resource, include: include, withDefinitions: isFirst)
    }

    private func bookmark(_ revision: Int64, _ isEnd: Bool) -> JSON {
        var object = Object([
            "kind": .string(resource.type.kind), "apiVersion": .string(resource.type.apiVersion),
            "metadata": ["resourceVersion": .string(String(revision))],
        ])
        if isEnd { object.metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        return switch encoding.form {
        case .object: object.json
        case .metadata(let version): Encoding.partial(object, version)
        case .table(let version):
            // A table without rows carries no annotation; clients that want one ask for objects.
            Encoding.table([], resource, metadata: object.metadata, include, version, false)
        }
    }
}
