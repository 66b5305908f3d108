import KubernetesModel

/// The kinds of patch, as pure functions from a document and a patch to a new document.
public enum Patching {
    /// A JSON merge patch (RFC 7386): members replace members, nulls remove them, lists are replaced whole.
    public static func merge(_ patch: JSON, into document: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var members = document.object ?? [:]
        for (name, change) in changes {
            if case .null = change {
                members[name] = nil
            } else {
                members[name] = merge(change, into: members[name] ?? .null)
            }
        }
        return .object(members)
    }
}
