import APIMachinery
import KubernetesModel

extension OpenAPIWriter {
    /// The paths of `resources` and their operations.
    func paths(_ resources: [ResourceInfo]) -> JSON {
        var paths: [String: JSON] = [:]
        for info in resources {
            let type = info.type
            let root = type.group.isEmpty ? "/api/\(type.version)" : "/apis/\(type.apiVersion)"
            let collection = root + (type.namespaced ? "/namespaces/{namespace}/" : "/") + type.plural
            add(collection, of: info, to: &paths)
            if type.namespaced, info.supports("list") {
                paths["\(root)/\(type.plural)"] = ["get": operation("list", info, scope: "ForAllNamespaces")]
            }
        }
        return .object(paths)
    }

    private func add(_ collection: String, of info: ResourceInfo, to paths: inout [String: JSON]) {
        let whole = [("get", "list"), ("post", "create"), ("delete", "deletecollection")]
        let single = [("get", "get"), ("put", "update"), ("patch", "patch"), ("delete", "delete")]
        let namespace = info.type.namespaced ? [pathParameter("namespace")] : []
        let name = pathParameter("name")
        func item(_ verbs: [(String, String)], _ parameters: [JSON]) -> JSON? {
            var json: [String: JSON] = [:]
            for (method, verb) in verbs where info.supports(verb) { json[method] = operation(verb, info) }
            guard !json.isEmpty else { return nil }
            if !parameters.isEmpty { json["parameters"] = .array(parameters) }
            return .object(json)
        }
        paths[collection] = item(whole, namespace)
        paths["\(collection)/{name}"] = item(single, [name] + namespace)
        for subresource in info.subresources {
            var json: [String: JSON] = ["parameters": .array([name] + namespace)]
            let methods = [
                ("get", "get"), ("post", "create"), ("put", "update"), ("patch", "patch"), ("delete", "delete"),
            ]
            for (method, verb) in methods where subresource.verbs.contains(verb) {
                json[method] = operation(verb, info, subresource)
            }
            paths["\(collection)/{name}/\(subresource.name)"] = .object(json)
        }
    }

    private func pathParameter(_ name: String) -> JSON {
        parameter(name, "string", "The \(name) of the object.", location: "path", isRequired: true)
    }

    private func parameter(
        _ name: String, _ type: String, _ description: String, location: String = "query", isRequired: Bool = false
    ) -> JSON {
        var json: JSON = ["name": .string(name), "in": .string(location), "description": .string(description)]
        if isRequired { json["required"] = true }
        if dialect == .v2 {
            json["type"] = .string(type)
            json["uniqueItems"] = true
        } else {
            json["schema"] = ["type": .string(type), "uniqueItems": true]
        }
        return json
    }

    /// The action that a verb stands for, as `x-kubernetes-action` names it.
    private static let actions = [
        "get": "get", "list": "list", "create": "post", "update": "put", "patch": "patch", "delete": "delete",
        "deletecollection": "deletecollection",
    ]

    /// How operation identifiers begin.
    private static let words = [
        "get": "read", "list": "list", "create": "create", "update": "replace", "patch": "patch", "delete": "delete",
        "deletecollection": "deleteCollection",
    ]

    private func operation(
        _ verb: String, _ info: ResourceInfo, _ subresource: ResourceInfo.Subresource? = nil, scope: String = ""
    ) -> JSON {
        let type = info.type
        let target = subresource.map { subresourceDefinition($0, of: info) } ?? info.definition
        let owner = (type.group.isEmpty ? "core" : type.group.split(separator: ".").map(String.init)[0])
        let word = Self.words[verb] ?? verb
        let scoped = type.namespaced && scope.isEmpty ? "Namespaced" : ""
        let tail = subresource.map { Self.capitalized($0.name) } ?? ""
        let identifier =
            "\(word)\(Self.capitalized(owner))\(Self.capitalized(type.version))\(scoped)\(type.kind)\(tail)\(scope)"
        var answer = target
        if verb == "list" { answer = listDefinition(info) }
        if verb == "deletecollection" || (verb == "delete" && type.kind != "Pod") { answer = Self.meta + "Status" }
        var body: String?
        switch verb {
        case "create", "update": body = target
        case "patch": body = Self.meta + "Patch"
        case "delete", "deletecollection": body = Self.meta + "DeleteOptions"
        default: break
        }
        let described =
            subresource?.group.map { group -> JSON in
                [
                    "group": .string(group), "version": .string(subresource?.version ?? type.version),
                    "kind": .string(subresource?.kind ?? type.kind),
                ]
            } ?? kind(type, subresource?.kind ?? type.kind)
        var json: JSON = [
            "description": .string("\(word) \(type.kind)\(subresource.map { " \($0.name)" } ?? "")"),
            "operationId": .string(identifier), "tags": [.string("\(owner)_\(type.version)")],
            "x-kubernetes-group-version-kind": described,
        ]
        if subresource == nil || target != nil { json["x-kubernetes-action"] = .string(Self.actions[verb] ?? verb) }
        var parameters = query(verb, subresource)
        writeBody(body, verb, into: &json, &parameters)
        if !parameters.isEmpty { json["parameters"] = .array(parameters) }
        json["responses"] = responses(answer, verb)
        return json
    }

    private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    private func query(_ verb: String, _ subresource: ResourceInfo.Subresource?) -> [JSON] {
        let dryRun = parameter("dryRun", "string", "With All, nothing is stored.")
        let manager = parameter("fieldManager", "string", "Who makes the change.")
        let validation = parameter(
            "fieldValidation", "string", "What to do about unknown fields: Ignore, Warn or Strict.")
        switch verb {
        case "create", "update": return [dryRun, manager, validation]
        case "patch":
            return [
                dryRun, manager, validation,
                parameter("force", "boolean", "Whether apply takes fields over from others."),
            ]
        case "delete":
            return [
                dryRun, parameter("gracePeriodSeconds", "integer", "How long the object may take to end."),
                parameter(
                    "propagationPolicy", "string", "What becomes of dependents: Orphan, Background or Foreground."),
            ]
        case "list", "deletecollection":
            return [
                parameter("labelSelector", "string", "Which labels the objects must have."),
                parameter("fieldSelector", "string", "Which field values the objects must have."),
                parameter("limit", "integer", "How many objects an answer may have."),
                parameter("continue", "string", "The token of the next page."),
                parameter("resourceVersion", "string", "How recent the answer must be."),
                parameter("watch", "boolean", "Whether to go on with the changes."),
            ]
        default: return []
        }
    }

    private static let patchTypes: [String] = [
        "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
    ]

    private func writeBody(_ body: String?, _ verb: String, into json: inout JSON, _ parameters: inout [JSON]) {
        let types = verb == "patch" ? Self.patchTypes : ["application/json", "application/yaml"]
        if dialect == .v2 {
            json["consumes"] = JSON(verb == "patch" ? types : ["*/*"])
            json["produces"] = ["application/json", "application/yaml"]
            json["schemes"] = ["https"]
            guard let body else { return }
            var parameter: JSON = ["name": "body", "in": "body", "schema": reference(body)]
            if verb != "delete", verb != "deletecollection" { parameter["required"] = true }
            parameters.append(parameter)
        } else if let body {
            let content = Dictionary(uniqueKeysWithValues: types.map { ($0, JSON.object(["schema": reference(body)])) })
            json["requestBody"] = ["content": .object(content), "required": true]
        }
    }

    private func responses(_ definition: String?, _ verb: String) -> JSON {
        func response(_ text: String) -> JSON {
            var json: JSON = ["description": .string(text)]
            let schema = definition.map(reference) ?? ["type": "string"]
            if dialect == .v2 {
                json["schema"] = schema
            } else {
                json["content"] = ["application/json": ["schema": schema]]
            }
            return json
        }
        var json: JSON = ["200": response("OK"), "401": ["description": "Unauthorized"]]
        if verb == "create" || verb == "update" || verb == "patch" { json["201"] = response("Created") }
        return json
    }
}
