import KubernetesModel

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

    /// The first three of a list and how many more there are; `none` where it is empty.
    package static func firstThree(_ texts: [String], none: String) -> JSON {
        if texts.isEmpty { return .string(none) }
        let shown = texts.prefix(3).joined(separator: ",")
        return .string(texts.count > 3 ? "\(shown) + \(texts.count - 3) more..." : shown)
    }

    /// A value as text; `absent` where it is null or empty.
    package static func text(_ json: JSON, absent: String = "<none>") -> JSON {
        switch json {
        case .null, .string(""): .string(absent)
        case .string: json
        default: .string(json.description)
        }
    }

    /// A number, 0 where it is absent.
    package static func number(_ json: JSON) -> JSON { JSON(json.int ?? 0) }
    /// How many elements a list has.
    package static func count(_ json: JSON) -> JSON { JSON(json.items.count) }

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
