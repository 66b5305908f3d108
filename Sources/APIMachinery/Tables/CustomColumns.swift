import KubernetesModel

extension Table.Columns {
    /// A custom resource's `additionalPrinterColumns`, behind the name; NAME and AGE where there are none.
    package init(additional columns: [JSON]) {
        guard !columns.isEmpty else {
            self = .nameAndAge
            return
        }
        let read = columns.map { json in
            (
                Table.Column(
                    json["name"].string ?? "", json["type"].string ?? "string", format: json["format"].string ?? "",
                    description: json["description"].string ?? "", wide: (json["priority"].int ?? 0) > 0),
                JSONPath(json["jsonPath"].string ?? "")
            )
        }
        self.init([.name] + read.map(\.0)) { object, now in
            [.string(object.name)]
                + read.map { column, path in Self.cell(path?.values(in: object.json).first ?? .null, column, now) }
        }
    }

    private static func cell(_ value: JSON, _ column: Table.Column, _ now: Timestamp) -> JSON {
        switch column.type {
        case "date":
            guard let text = value.string else { return value }
            return Timestamp(text).map { .string(Table.ago($0, now)) } ?? "<unknown>"
        case "string": return value.isNull || value.string != nil ? value : .string(value.description)
        default: return value
        }
    }
}
