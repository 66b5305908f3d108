import APIMachinery
import KubernetesModel

/// Events are served in two groups, under other field names, and stored as those of the core group.
extension Kind {
    static let event = Kind(
        Group.core.row("events", "Event", short: ["ev"]), name: Names.pathSegment,
        validate: { validation, object in
            let subject = object["involvedObject"]["namespace"].string ?? ""
            if !subject.isEmpty, subject != object.namespace {
                validation.invalid("involvedObject.namespace", .string(subject), "does not match event.namespace")
            }
        },
        columns: eventColumns, selectableFields: SelectableFields(coreEventFields), convert: EventConversion.toCore)

    static let currentEvent = Kind(
        Group("events.k8s.io", "v1").row(
            "events", "Event", short: ["ev"],
            storedAs: ResourceType(group: "", version: "v1", plural: "events", kind: "Event", namespaced: true)),
        name: Names.pathSegment, columns: eventColumns,
        selectableFields: SelectableFields(storedNames: currentEventFields), convert: EventConversion.fromCore)

    private static let subjectFields = [
        "kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath",
    ]
    private static let coreEventFields =
        ["reason", "reportingComponent", "source", "type"] + subjectFields.map { "involvedObject.\($0)" }
    /// Those of events.k8s.io, and what they are called in the core group.
    private static let currentEventFields: [String: String] = {
        var names = ["reason": "reason", "type": "type", "reportingController": "reportingComponent"]
        for field in subjectFields { names["regarding.\(field)"] = "involvedObject.\(field)" }
        return names
    }()

    private static let eventColumns = Table.Columns([
        "Last Seen", "Type", "Reason", "Object", .wide("Subobject"), .wide("Source"), "Message", .wide("First Seen"),
        .wide("Count"), Table.Column("Name", format: "name", wide: true),
    ]) { object, now in
        func field(_ names: String...) -> JSON { names.map { object[$0] }.first { !$0.isNull } ?? .null }
        func moment(_ json: JSON) -> Timestamp? { json.string.flatMap(Timestamp.init) }
        let occurred = moment(object["eventTime"])
        let first = moment(field("firstTimestamp", "deprecatedFirstTimestamp")) ?? occurred
        let last =
            moment(object["series"]["lastObservedTime"])
            ?? moment(field("lastTimestamp", "deprecatedLastTimestamp")) ?? occurred
        let count = object["series"]["count"].int ?? field("count", "deprecatedCount").int ?? 1
        let subject = field("involvedObject", "regarding")
        let source = field("source", "deprecatedSource")
        let component =
            source["component"].string ?? object["reportingComponent"].string
            ?? object["reportingController"].string ?? ""
        let host = source["host"].string ?? object["reportingInstance"].string ?? ""
        func since(_ time: Timestamp?) -> JSON { time.map { .string(Table.ago($0, now)) } ?? "<unknown>" }
        return [
            since(last), object["type"], object["reason"],
            .string("\((subject["kind"].string ?? "").lowercased())/\(subject["name"].string ?? "")"),
            .string(subject["fieldPath"].string ?? ""),
            .string(host.isEmpty ? component : "\(component), \(host)"),
            .string(trimmed(field("message", "note").string ?? "")), since(first), JSON(count), .string(object.name),
        ]
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
