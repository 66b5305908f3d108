import KubernetesModel

/// Objects as rows of a table (`meta.k8s.io/v1 Table`), which is what `kubectl get` shows.
public struct Table: Sendable {
    /// How much of each object its row carries.
    public enum IncludeObject: String, Sendable {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"
    }

    package struct Column: Sendable {
        package let name: String
        package var type = "string"
        package var format = ""
        package var description = ""
        /// Columns of priority 0 are always shown, others with `-o wide`.
        package var priority = 0

        package init(
            _ name: String, _ type: String = "string", format: String = "", description: String = "", wide: Bool = false
        ) {
            self.name = name
            self.type = type
            self.format = format
            self.description = description
            priority = wide ? 1 : 0
        }

        package static let name = Column(
            "Name", format: "name", description: "The object's name, unique among those of its kind in its namespace.")
        package static let age = Column("Age", description: "How long ago the object was created.")
        package static let createdAt = Column("Created At", description: "When the object was created.")

        package var json: JSON {
            [
                "name": .string(name), "type": .string(type), "format": .string(format),
                "description": .string(description), "priority": JSON(priority),
            ]
        }
    }

    /// The columns of a kind and how an object fills them.
    package struct Printer: Sendable {
        package let columns: [Column]
        package let cells: @Sendable (Object, Timestamp) -> [JSON]

        package init(_ columns: [Column], _ cells: @escaping @Sendable (Object, Timestamp) -> [JSON]) {
            self.columns = columns
            self.cells = cells
        }
    }
}

extension Object {
    package func age(_ now: Timestamp) -> JSON {
        creationTimestamp.map { .string(Table.ago($0, now)) } ?? "<unknown>"
    }
}

extension Table {
    /// The time since `moment` as kubectl writes it: `45s`, `3m20s`, `5h`, `12d`.
    package static func ago(_ moment: Timestamp, _ now: Timestamp) -> String { duration(now.since(moment)) }

    package static func duration(_ length: Double) -> String {
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
    package static func joined(_ texts: [String]) -> JSON {
        texts.isEmpty ? "<none>" : .string(texts.joined(separator: ","))
    }

    /// The names and the images of a pod template's containers.
    package static func containers(_ template: JSON) -> [JSON] {
        let containers = template["spec"]["containers"].items.map(Container.init)
        return [
            .string(containers.map(\.name).joined(separator: ",")),
            .string(containers.map(\.image).joined(separator: ",")),
        ]
    }

    package static func selector(_ json: JSON) -> JSON {
        if json.isNull { return "<none>" }
        let text = LabelSelector(json).description
        return .string(text.isEmpty ? "<none>" : text)
    }
}
