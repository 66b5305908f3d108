import APIMachinery
import KubernetesModel

extension Table {
    /// The table of `objects`.
    ///
    /// - Parameters:
    ///   - listMetadata: the list's `metadata`.
    ///   - headers: whether the columns are described (in a watch, only the first event does).
    public static func of(
        _ objects: [Object], _ info: ResourceInfo, listMetadata: JSON = [:], include: IncludeObject = .metadata,
        headers: Bool = true, now: Timestamp = .now
    ) -> JSON {
        let printer = Printer.of(info)
        let rows = objects.map { object -> JSON in
            var row: JSON = ["cells": .array(printer.cells(object, now))]
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
            "columnDefinitions": .array(headers ? printer.columns.map(\.json) : []), "rows": .array(rows),
        ]
    }
}

extension Table.Printer {
    static func of(_ info: ResourceInfo) -> Table.Printer {
        if info.isCustom { return custom(info.columns) }
        return builtIn["\(info.type.group)/\(info.type.kind)"] ?? plain
    }

    /// NAME and AGE.
    private static let plain = Table.Printer([.name, .age]) { [.string($0.name), $0.age($1)] }

    private static let builtIn: [String: Table.Printer] = core.merging(workloads) { $1 }.merging(others) { $1 }

    private static func custom(_ columns: [ResourceInfo.Column]) -> Table.Printer {
        guard !columns.isEmpty else { return plain }
        let paths = columns.map { JSONPath($0.jsonPath) }
        let described = columns.map { column in
            Table.Column(
                column.name, column.type, format: column.format, description: column.description,
                wide: column.priority > 0)
        }
        return Table.Printer([.name] + described) { object, now in
            [.string(object.name)]
                + zip(columns, paths).map { column, path in
                    let value = path?.values(in: object.json).first ?? .null
                    guard column.type == "date", let text = value.string else {
                        return column.type == "string" && !value.isNull && value.string == nil
                            ? .string(value.description) : value
                    }
                    return Timestamp(text).map { .string(Table.ago($0, now)) } ?? "<unknown>"
                }
        }
    }
}
