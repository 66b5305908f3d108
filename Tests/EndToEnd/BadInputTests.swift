import Testing

/// What kubectl prints for manifests that cannot be had: Kubernetes' own texts, with field, value and reason.
struct BadInputTests {
    /// A manifest and the end of the message that it is refused with.
    struct Refusal {
        let what: String
        let manifest: String
        let message: String
        /// What kubectl itself says up to 1.24, which validates by the server's OpenAPI document; nil where it leaves the
        /// fault to the server.
        var byClient: String?
        var verb = "create"
    }

    static let refusals = [
        Refusal(
            what: "unknown kind",
            manifest: #"{"apiVersion": "apps/v1", "kind": "Deploymnt", "metadata": {"name": "x"}}"#,
            message: """
                error: resource mapping not found for name: "x" namespace: "" from "STDIN": \
                no matches for kind "Deploymnt" in version "apps/v1"
                ensure CRDs are installed first
                """,
            byClient: #"error: unable to recognize "STDIN": no matches for kind "Deploymnt" in version "apps/v1""#),
        Refusal(
            what: "wrong type", manifest: Manifest.deployment("x", replicas: #""three""#),
            message: """
                Error from server (BadRequest): error when creating "STDIN": Deployment in version "v1" cannot be handled \
                as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32
                """,
            byClient: """
                error: error validating "STDIN": error validating data: ValidationError(Deployment.spec.replicas): \
                invalid type for io.k8s.api.apps.v1.DeploymentSpec.replicas: got "string", expected "integer"; \
                if you choose to ignore these errors, turn validation off with --validate=false
                """),
        Refusal(
            what: "wrong type deep inside",
            manifest: Manifest.deployment("x", container: "ports: [{containerPort: http}]"),
            message: """
                cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field \
                ContainerPort.spec.template.spec.containers.ports.containerPort of type int32
                """,
            byClient: """
                error: error validating "STDIN": error validating data: \
                ValidationError(Deployment.spec.template.spec.containers[0].ports[0].containerPort): invalid type for \
                io.k8s.api.core.v1.ContainerPort.containerPort: got "string", expected "integer"; \
                if you choose to ignore these errors, turn validation off with --validate=false
                """),
        Refusal(
            what: "unknown field", manifest: Manifest.deployment("x", container: "imagePullpolicy: Always"),
            message: """
                cannot be handled as a Deployment: strict decoding error: unknown field \
                "spec.template.spec.containers[0].imagePullpolicy"
                """,
            byClient: """
                error: error validating "STDIN": error validating data: \
                ValidationError(Deployment.spec.template.spec.containers[0]): unknown field "imagePullpolicy" in \
                io.k8s.api.core.v1.Container; \
                if you choose to ignore these errors, turn validation off with --validate=false
                """),
        Refusal(
            what: "missing fields",
            manifest: """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: x}
                spec: {template: {metadata: {labels: {a: b}}, spec: {}}}
                """,
            message: """
                The Deployment "x" is invalid:\u{20}
                * spec.selector: Required value
                * spec.template.metadata.labels: Invalid value: map[string]string{"a":"b"}: `selector` does not match \
                template `labels`
                * spec.template.spec.containers: Required value
                """,
            byClient: """
                error: error validating "STDIN": error validating data: [\
                ValidationError(Deployment.spec.template.spec): missing required field "containers" in \
                io.k8s.api.core.v1.PodSpec, ValidationError(Deployment.spec): missing required field "selector" in \
                io.k8s.api.apps.v1.DeploymentSpec]; \
                if you choose to ignore these errors, turn validation off with --validate=false
                """),
        Refusal(
            what: "a selector that misses the template", manifest: Manifest.deployment("x", label: "other"),
            message: """
                The Deployment "x" is invalid: spec.template.metadata.labels: Invalid value: \
                map[string]string{"app":"other"}: `selector` does not match template `labels`
                """),
        Refusal(
            what: "a name that cannot be one", manifest: Manifest.deployment("Web_x", selector: "x"),
            message: """
                The Deployment "Web_x" is invalid: metadata.name: Invalid value: "Web_x": a lowercase RFC 1123 subdomain \
                must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric \
                character (e.g. 'example.com', regex used for validation is \
                '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
                """),
        Refusal(
            what: "a name that is taken", manifest: Manifest.deployment("taken"),
            message: """
                Error from server (AlreadyExists): error when creating "STDIN": deployments.apps "taken" already exists
                """),
        Refusal(
            what: "a container's name twice",
            manifest: """
                apiVersion: v1
                kind: Pod
                metadata: {name: x}
                spec: {containers: [{name: c, image: host}, {name: c, image: host}]}
                """,
            message: #"The Pod "x" is invalid: spec.containers[1].name: Duplicate value: "c""#),
        Refusal(
            what: "another selector", manifest: Manifest.deployment("taken", selector: "other"),
            message: """
                The Deployment "taken" is invalid: spec.selector: Invalid value: v1.LabelSelector{MatchLabels:\
                map[string]string{"app":"other"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable
                """,
            verb: "apply"),
        Refusal(
            what: "a container's bad port",
            manifest: Manifest.deployment("x", container: "ports: [{containerPort: 70000}]"),
            message: """
                The Deployment "x" is invalid: spec.template.spec.containers[0].ports[0].containerPort: \
                Invalid value: 70000: must be between 1 and 65535, inclusive
                """),
        Refusal(
            what: "a Service's bad port", manifest: service("ports: [{port: 0, targetPort: 80}]"),
            message: """
                The Service "x" is invalid: spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive
                """),
        Refusal(
            what: "a bad node port", manifest: service("type: NodePort, ports: [{port: 80, nodePort: 80}]"),
            message: """
                The Service "x" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid \
                range. The range of valid ports is 30000-32767
                """),
        Refusal(
            what: "a bad quantity", manifest: Manifest.deployment("x", container: "resources: {limits: {cpu: 1x}}"),
            message: """
                Deployment in version "v1" cannot be handled as a Deployment: quantities must match the regular expression \
                '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
                """),
        Refusal(
            what: "a request above the limit",
            manifest: Manifest.deployment("x", container: "resources: {limits: {cpu: 100m}, requests: {cpu: 200m}}"),
            message: """
                The Deployment "x" is invalid: spec.template.spec.containers[0].resources.requests: \
                Invalid value: "200m": must be less than or equal to cpu limit of 100m
                """),
        Refusal(
            what: "a mount without its volume",
            manifest: Manifest.pod("x", container: "volumeMounts: [{name: nope, mountPath: /data}]"),
            message: #"The Pod "x" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "nope""#),
    ]

    private static func service(_ spec: String) -> String {
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {selector: {app: x}, \(spec)}"
    }

    @Test(.timeLimit(.minutes(1)), arguments: KubectlClient.all)
    func refusesWithKubernetesWords(client: KubectlClient) async throws {
        let validates = try await client.minorVersion() < 25
        try await Cluster.running { cluster in
            let cluster = cluster.through(client)
            try await cluster.apply(Manifest.deployment("taken"))
            for refusal in Self.refusals {
                let result = try await cluster.attemptKubectl(refusal.verb, "-f", "-", input: refusal.manifest)
                let message = validates ? refusal.byClient ?? refusal.message : refusal.message
                #expect(result.status == 1, "\(refusal.what): \(result)")
                #expect(result.errors.hasSuffix(message + "\n"), "\(refusal.what): \(result)")
            }
            #expect(try await cluster.kubectl("get", "deployments,pods,services", "-o", "name", "-l", "app=x") == "")
            let names = try await cluster.kubectl("get", "deployments,services", "-o", "name").split(separator: "\n")
            #expect(names == ["deployment.apps/taken", "service/kubernetes"], "nothing refused is kept")
        }
    }
}
