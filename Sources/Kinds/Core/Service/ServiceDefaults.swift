import APIMachinery
import KubernetesModel

enum ServiceDefaults {
    static func spec(_ spec: inout JSON) {
        spec.fill("sessionAffinity", "None")
        if spec["sessionAffinity"] == "None" { spec["sessionAffinityConfig"] = .null }
        if spec["sessionAffinity"] == "ClientIP" {
            spec["sessionAffinityConfig"]["clientIP"].fill(zero: "timeoutSeconds", 10800)
        }
        spec.fill("type", "ClusterIP")
        spec.changeEach("ports") { port in
            port.fill("protocol", "TCP")
            if port["targetPort"] == 0 { port["targetPort"] = .null }
            port.fill("targetPort", port["port"])
        }
        let type = spec["type"].string ?? ""
        guard type != "ExternalName" else { return }
        let isExternal =
            type == "NodePort" || type == "LoadBalancer" || !spec["externalIPs"].items.isEmpty
        if isExternal { spec.fill("externalTrafficPolicy", "Cluster") }
        spec.fill("internalTrafficPolicy", "Cluster")
        if type == "LoadBalancer" { spec.fill("allocateLoadBalancerNodePorts", true) }
        // Clusters here have IPv4 only.
        spec.fill("ipFamilyPolicy", "SingleStack")
        if spec["ipFamilies"].items.isEmpty { spec["ipFamilies"] = ["IPv4"] }
        if let address = spec["clusterIP"].string, !address.isEmpty, spec["clusterIPs"].items.isEmpty {
            spec["clusterIPs"] = [.string(address)]
        } else if spec["clusterIP"].isNull, let first = spec["clusterIPs"].strings.first {
            spec["clusterIP"] = .string(first)
        }
    }
}
