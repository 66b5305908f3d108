import KubernetesModel

/// Objects as rows of a table (`meta.k8s.io/v1 Table`), which is what `kubectl get` shows.
public enum Table {
    /// How much of each object its row carries.
    public enum IncludeObject: String, Sendable {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"
    }

    /// The table of `objects`.
    ///
    /// - Parameters:
    ///   - listMetadata: the list's `metadata`.
    ///   - headers: whether the columns are described (in a watch, only the first event does).
    package static func of(
        _ objects: [Object], _ columns: Columns, listMetadata: JSON, include: IncludeObject, headers: Bool,
        now: Timestamp
    ) -> JSON {
        let rows = objects.map { object -> JSON in
            var row: JSON = ["cells": .array(columns.cells(object, now))]
            switch include {
            case .none: break
            case .object: row["object"] = object.json
            case .metadata:
                row["object"] = [
                    "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object.metadata,
                ]
            }
            return row
        }
        return [
            "apiVersion": "meta.k8s.io/v1", "kind": "Table", "metadata": listMetadata,
            "columnDefinitions": .array(headers ? columns.definitions.map(\.json) : []), "rows": .array(rows),
        ]
    }
}
