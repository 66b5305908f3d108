import APIClient
import KubernetesModel

/// What requests may ask for besides their object, checked as `meta/v1` has it.
enum RequestOptions {
    /// - Throws: `Invalid` for a propagation policy that does not exist: to guess one could delete too much.
    static func deletion(_ json: JSON) throws(Status) -> DeleteOptions {
        DeleteOptions(
            gracePeriodSeconds: json["gracePeriodSeconds"].int,
            propagation: json["orphanDependents"].bool == true
                ? .orphan : try propagation(json["propagationPolicy"].string),
            uid: json["preconditions"]["uid"].string, resourceVersion: json["preconditions"]["resourceVersion"].string)
    }

    static func propagation(_ text: String?) throws(Status) -> DeleteOptions.Propagation? {
        guard let text else { return nil }
        guard let propagation = DeleteOptions.Propagation(rawValue: text) else {
            throw invalid(
                "DeleteOptions",
                .notSupported(
                    "propagationPolicy", value: .string(text), supported: ["Foreground", "Background", "Orphan", "nil"])
            )
        }
        return propagation
    }

    /// Checks which objects a list or a watch asks for, of which moment.
    static func checkList(_ query: Query, isWatch: Bool) throws(Status) {
        let path = "resourceVersionMatch"
        func refuse(_ why: String, _ path: String = path) throws(Status) {
            throw invalid("ListOptions", FieldError(.forbidden, path, detail: why))
        }
        let match = query[path]
        let version = query["resourceVersion"] ?? ""
        if let match, match != "Exact", match != "NotOlderThan" {
            throw invalid(
                "ListOptions", .notSupported(path, value: .string(match), supported: ["Exact", "NotOlderThan", ""]))
        }
        if isWatch {
            let hasInitialEvents = query["sendInitialEvents"] != nil
            if hasInitialEvents, match != "NotOlderThan" {
                try refuse("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
            }
            if !hasInitialEvents, match != nil {
                try refuse("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
            }
            return
        }
        if query["sendInitialEvents"] != nil {
            try refuse("sendInitialEvents is forbidden for list", "sendInitialEvents")
        }
        guard let match else { return }
        if version.isEmpty { try refuse("resourceVersionMatch is forbidden unless resourceVersion is provided") }
        if query["continue"] != nil { try refuse("resourceVersionMatch is forbidden when continue is provided") }
        if match == "Exact", version == "0" {
            try refuse("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")
        }
    }

    private static func invalid(_ kind: String, _ error: FieldError) -> Status {
        let type = ResourceType(
            group: "meta.k8s.io", version: "v1", plural: kind.lowercased(), kind: kind, namespaced: false)
        return .invalid(type, "", [error])
    }
}
