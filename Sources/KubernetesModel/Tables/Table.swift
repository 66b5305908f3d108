/// Objects as rows of a table (`meta.k8s.io/v1 Table`), which is what `kubectl get` shows.
public struct Table: Sendable {
    /// How much of each object its row carries.
    public enum IncludeObject: String, Sendable {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"
    }

    struct Column: Sendable {
        let name: String
        var type = "string"
        var format = ""
        var description = ""
        /// Columns of priority 0 are always shown, others with `-o wide`.
        var priority = 0

        init(
            _ name: String, _ type: String = "string", format: String = "", description: String = "", wide: Bool = false
        ) {
            self.name = name
            self.type = type
            self.format = format
            self.description = description
            priority = wide ? 1 : 0
        }

        static let name = Column(
            "Name", format: "name", description: "The object's name, unique among those of its kind in its namespace.")
        static let age = Column("Age", description: "How long ago the object was created.")
        static let createdAt = Column("Created At", description: "When the object was created.")

        var json: JSON {
            [
                "name": .string(name), "type": .string(type), "format": .string(format),
                "description": .string(description), "priority": JSON(priority),
            ]
        }
    }

    /// The columns of a kind and how an object fills them.
    struct Printer: Sendable {
        let columns: [Column]
        let cells: @Sendable (Object, Timestamp) -> [JSON]

        init(_ columns: [Column], _ cells: @escaping @Sendable (Object, Timestamp) -> [JSON]) {
            self.columns = columns
            self.cells = cells
        }
    }

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

extension Object {
    func age(_ now: Timestamp) -> JSON {
        creationTimestamp.map { .string(Table.ago($0, now)) } ?? "<unknown>"
    }
}

extension Table {
    /// The time since `moment` as kubectl writes it: `45s`, `3m20s`, `5h`, `12d`.
    static func ago(_ moment: Timestamp, _ now: Timestamp) -> String { duration(now.since(moment)) }

    static func duration(_ length: Double) -> String {
        let seconds = Int(length)
        if seconds < -1 { return "<invalid>" }
        if seconds <= 0 { return "0s" }
        if seconds < 120 { return "\(seconds)s" }
        let minutes = seconds / 60
        if minutes < 10 { return two(minutes, "m", seconds % 60, "s") }
        if minutes < 180 { return "\(minutes)m" }
        let hours = minutes / 60
        if hours < 8 { return two(hours, "h", minutes % 60, "m") }
        if hours < 48 { return "\(hours)h" }
        let days = hours / 24
        if days < 8 { return two(days, "d", hours % 24, "h") }
        if days < 730 { return "\(days)d" }
        if days < 8 * 365 { return two(days / 365, "y", days % 365, "d") }
        return "\(days / 365)y"
    }

    private static func two(_ large: Int, _ unit: String, _ small: Int, _ smallUnit: String) -> String {
        small == 0 ? "\(large)\(unit)" : "\(large)\(unit)\(small)\(smallUnit)"
    }

    /// A list joined by commas, `<none>` where it is empty.
    static func joined(_ texts: [String]) -> JSON {
        texts.isEmpty ? "<none>" : .string(texts.joined(separator: ","))
    }

    /// The names and the images of a pod template's containers.
    static func containers(_ template: JSON) -> [JSON] {
        let containers = template["spec"]["containers"].items.map(Container.init)
        return [
            .string(containers.map(\.name).joined(separator: ",")),
            .string(containers.map(\.image).joined(separator: ",")),
        ]
    }

    static func selector(_ json: JSON) -> JSON {
        if json.isNull { return "<none>" }
        let text = LabelSelector(json).description
        return .string(text.isEmpty ? "<none>" : text)
    }
}
