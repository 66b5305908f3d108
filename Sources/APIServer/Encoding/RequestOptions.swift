import APIClient
import APIMachinery
import KubernetesModel

/// The options of requests, validated as `meta/v1` defines them.
enum RequestOptions {
    /// The options of a deletion: its body, else its query.
    static func deletion(_ request: APIRequest) throws(Status) -> DeleteOptions {
        try deletion(request.body.readableBytes > 0 ? Decoding.json(request) : deletion(request.query))
    }

    /// - Throws: `BadRequest` for a value of the wrong type, `Invalid` for an unknown one: a guess could delete too much.
    static func deletion(_ json: JSON) throws(Status) -> DeleteOptions {
        guard !json.isNull else { return DeleteOptions() }
        let json = try StructuralDecoding(json, as: deleteOptions).object.json
        let dryRun = json["dryRun"].strings
        let policy = json["propagationPolicy"]
        let orphans = json["orphanDependents"].bool
        let propagation = policy.string.flatMap(DeleteOptions.Propagation.init)
        var errors: [FieldError] = []
        if orphans != nil, !policy.isNull {
            errors.append(
                FieldError(
                    .invalid, "propagationPolicy", value: policy,
                    detail: "orphanDependents and deletionPropagation cannot be both set"))
        }
        if propagation == nil, !policy.isNull {
            errors.append(
                .notSupported(
                    "propagationPolicy", value: policy, supported: ["Foreground", "Background", "Orphan", "nil"]))
        }
        errors += faults(dryRun: dryRun)
        guard errors.isEmpty else { throw invalid("DeleteOptions", errors) }
        return DeleteOptions(
            // As upstream: a negative period is one second.
            gracePeriodSeconds: json["gracePeriodSeconds"].int.map { $0 < 0 ? 1 : $0 },
            propagation: orphans.map { $0 ? .orphan : .background } ?? propagation,
            uid: json["preconditions"]["uid"].string, resourceVersion: json["preconditions"]["resourceVersion"].string,
            dryRun: !dryRun.isEmpty)
    }

    /// The options of a deletion in its query, in the form of a body.
    private static func deletion(_ query: Query) throws(Status) -> JSON {
        var json: JSON = [:]
        if let seconds = try query.int("gracePeriodSeconds") { json["gracePeriodSeconds"] = JSON(seconds) }
        if query["orphanDependents"] != nil { json["orphanDependents"] = JSON(query.flag("orphanDependents")) }
        if let policy = query["propagationPolicy"] { json["propagationPolicy"] = .string(policy) }
        for precondition in ["uid", "resourceVersion"] {
            if let text = query[precondition] { json["preconditions"][precondition] = .string(text) }
        }
        let dryRun = query.all("dryRun")
        if !dryRun.isEmpty { json["dryRun"] = JSON(dryRun) }
        return json
    }

    /// Reads the options of a write from its query.
    static func read(_ query: Query, of verb: Verb, into context: inout RequestContext) throws(Status) {
        let kind: String
        switch verb {
        case .create: kind = "CreateOptions"
        case .update: kind = "UpdateOptions"
        case .patch: kind = "PatchOptions"
        case .delete, .deletecollection: kind = "DeleteOptions"
        case .get, .list, .watch: return
        }
        let dryRun = query.all("dryRun")
        var errors = faults(dryRun: dryRun)
        context.dryRun = !dryRun.isEmpty
        if let text = query["fieldValidation"] {
            if let validation = RequestContext.FieldValidation(rawValue: text) {
                context.fieldValidation = validation
            } else {
                errors.append(
                    .notSupported("fieldValidation", value: .string(text), supported: ["Ignore", "Strict", "Warn"]))
            }
        }
        if let manager = query["fieldManager"] { context.fieldManager = manager }
        guard errors.isEmpty else { throw invalid(kind, errors) }
    }

    private static func faults(dryRun: [String]) -> [FieldError] {
        if dryRun.allSatisfy({ $0 == "All" }) { return [] }
        return [.notSupported("dryRun", value: JSON(dryRun), supported: ["All"])]
    }

    /// Validates the resource version options of a list or a watch.
    static func checkList(_ query: Query, isWatch: Bool) throws(Status) {
        let path = "resourceVersionMatch"
        func refuse(_ why: String, _ path: String = path) throws(Status) {
            throw invalid("ListOptions", [FieldError(.forbidden, path, detail: why)])
        }
        let match = query[path]
        let version = query["resourceVersion"] ?? ""
        if let match, match != "Exact", match != "NotOlderThan" {
            throw invalid(
                "ListOptions", [.notSupported(path, value: .string(match), supported: ["Exact", "NotOlderThan", ""])])
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

    private static let deleteOptions = ResourceInfo(
        type: type("DeleteOptions"), definition: "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
        schema: SchemaIndex.builtIn["io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"]
            ?? Schema(.object, preservesUnknownFields: true))

    private static func type(_ kind: String) -> ResourceType {
        ResourceType(group: "meta.k8s.io", version: "v1", plural: kind.lowercased(), kind: kind, namespaced: false)
    }

    private static func invalid(_ kind: String, _ errors: [FieldError]) -> Status {
        .invalid(type(kind), "", errors)
    }
}
