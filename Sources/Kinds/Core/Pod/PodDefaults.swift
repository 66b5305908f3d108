import APIMachinery
import KubernetesModel

/// The defaults of pods, and of the templates that other kinds make pods from.
enum PodDefaults {
    static func pod(_ object: inout Object) {
        object.json.change("spec") { spec in
            spec.fill("enableServiceLinks", true)
            for list in ["containers", "initContainers"] { spec.changeEach(list, requestLimits) }
            self.spec(&spec)
        }
        if object.status["phase"].isNull { object.status["phase"] = "Pending" }
        if object.status["qosClass"].isNull { object.status["qosClass"] = .string(Pod(object).qosClass.rawValue) }
    }

    /// What is limited but not requested is requested up to its limit.
    private static func requestLimits(_ container: inout JSON) {
        guard let limits = container["resources"]["limits"].object else { return }
        for (name, quantity) in limits { container["resources"]["requests"].fill(name, quantity) }
    }

    static func template(_ template: inout JSON) {
        template.change("spec", spec)
    }

    /// The spec of a kind with a number of replicas of a template.
    static func replicated(_ spec: inout JSON) {
        spec.fill("replicas", 1)
        spec.change("template", template)
    }

    static func spec(_ spec: inout JSON) {
        spec.fill("restartPolicy", "Always")
        spec.fill("dnsPolicy", "ClusterFirst")
        spec.fill("schedulerName", "default-scheduler")
        spec.fill("terminationGracePeriodSeconds", 30)
        spec.fill("securityContext", [:])
        // The deprecated name of the field always has the same value.
        if let account = spec["serviceAccountName"].string ?? spec["serviceAccount"].string, !account.isEmpty {
            spec["serviceAccountName"] = .string(account)
            spec["serviceAccount"] = .string(account)
        }
        let hostNetwork = spec["hostNetwork"].bool ?? false
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            spec.changeEach(list) { container in
                self.container(&container)
                if hostNetwork {
                    container.changeEach("ports") { $0.fill(zero: "hostPort", $0["containerPort"]) }
                }
            }
        }
        spec.changeEach("volumes", volume)
    }

    private static func container(_ container: inout JSON) {
        container.fill("imagePullPolicy", .string(pullPolicy(container["image"].string ?? "")))
        container.fill("terminationMessagePath", "/dev/termination-log")
        container.fill("terminationMessagePolicy", "File")
        container.fill("resources", [:])
        container.changeEach("ports") { $0.fill("protocol", "TCP") }
        container.changeEach("env") { variable in
            variable.change("valueFrom") { $0.change("fieldRef") { $0.fill("apiVersion", "v1") } }
        }
        for name in ["livenessProbe", "readinessProbe", "startupProbe"] { container.change(name, probe) }
        container.change("lifecycle") { lifecycle in
            for name in ["postStart", "preStop"] {
                lifecycle.change(name) { $0.change("httpGet", httpGet) }
            }
        }
    }

    /// Images that may change under their name are pulled each time.
    static func pullPolicy(_ image: String) -> String {
        if image.contains("@") { return "IfNotPresent" }
        let last = image.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard let colon = last.lastIndex(of: ":") else { return "Always" }
        return last[last.index(after: colon)...] == "latest" ? "Always" : "IfNotPresent"
    }

    private static func probe(_ probe: inout JSON) {
        probe.fill(zero: "timeoutSeconds", 1)
        probe.fill(zero: "periodSeconds", 10)
        probe.fill(zero: "successThreshold", 1)
        probe.fill(zero: "failureThreshold", 3)
        probe.change("httpGet", httpGet)
        probe.change("grpc") { if $0["service"].isNull { $0["service"] = "" } }
    }

    private static func httpGet(_ action: inout JSON) {
        action.fill("path", "/")
        action.fill("scheme", "HTTP")
    }

    private static func volume(_ volume: inout JSON) {
        if let members = volume.object, members.keys.allSatisfy({ $0 == "name" }) { volume["emptyDir"] = [:] }
        for name in ["secret", "configMap", "downwardAPI", "projected"] {
            volume.change(name) { $0.fill("defaultMode", 420) }
        }
        volume.change("downwardAPI", downwardItems)
        volume.change("projected") { projected in
            projected.changeEach("sources") { source in
                source.change("downwardAPI", downwardItems)
                source.change("serviceAccountToken") { $0.fill("expirationSeconds", 3600) }
            }
        }
        volume.change("hostPath") { if $0["type"].isNull { $0["type"] = "" } }
        volume.change("iscsi") { $0.fill("iscsiInterface", "default") }
        volume.change("ephemeral") { source in
            source.change("volumeClaimTemplate") { $0.change("spec") { $0.fill("volumeMode", "Filesystem") } }
        }
    }

    private static func downwardItems(_ source: inout JSON) {
        source.changeEach("items") { $0.change("fieldRef") { $0.fill("apiVersion", "v1") } }
    }
}
