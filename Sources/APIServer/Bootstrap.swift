import Addresses
import KubernetesModel
import Logging
import Store

/// The objects of every cluster: its namespaces, and the Services of the API and of DNS.
struct Bootstrap: Sendable {
    let objects: Objects
    let configuration: APIServer.Configuration

    /// Creates the missing ones.
    func run() async throws(Status) {
        let namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"]
        try await ensure(namespaces.map { Object(.namespaces, name: $0) })
        try await ensure([apiService, dnsService, endpoints, endpointSlice])
    }

    /// Creates deleted ones again, until the task is cancelled: without the Service `kubernetes` no pod finds the API.
    func keep(_ logger: Logger) async {
        while (try? await Task.sleep(for: configuration.repairInterval)) != nil {
            do {
                try await run()
            } catch {
                logger.warning("cannot repair the objects of every cluster", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Creates objects concurrently: one sync of the disk makes them durable.
    private func ensure(_ objects: [Object]) async throws(Status) {
        let failure = await withTaskGroup(of: Status?.self) { group -> Status? in
            for object in objects {
                group.addTask {
                    do {
                        try await ensure(object)
                        return nil
                    } catch {
                        return error as? Status ?? .internalError("\(error)")
                    }
                }
            }
            var first: Status?
            for await failure in group { first = first ?? failure }
            return first
        }
        if let failure { throw failure }
    }

    private func ensure(_ object: Object) async throws(Status) {
        guard let kind = objects.catalogue.kind(apiVersion: object.apiVersion, kind: object.kind) else { return }
        let namespace = kind.type.namespaced ? object.namespace : nil
        guard objects.object(kind.type, namespace: namespace, name: object.name) == nil else { return }
        do {
            _ = try await objects.create(
                ResourceRequest(kind, namespace: namespace), object, RequestContext(user: .controlPlane))
        } catch  where error.isAlreadyExists {
            return
        }
    }

    private var apiService: Object {
        var service = Object(.services, namespace: "default", name: "kubernetes")
        service.metadata["labels"] = ["component": "apiserver", "provider": "kubernetes"]
        service.spec = [
            "clusterIP": .string(AddressPlan.kubernetes.description),
            "clusterIPs": [.string(AddressPlan.kubernetes.description)], "type": "ClusterIP",
            "ports": [
                [
                    "name": "https", "port": 443, "protocol": "TCP",
                    "targetPort": JSON(configuration.advertisePort),
                ]
            ],
        ]
        return service
    }

    private var dnsService: Object {
        var service = Object(.services, namespace: "kube-system", name: "kube-dns")
        service.metadata["labels"] = [
            "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS",
        ]
        service.spec = [
            "clusterIP": .string(AddressPlan.dns.description),
            "clusterIPs": [.string(AddressPlan.dns.description)], "type": "ClusterIP",
            "ports": [
                ["name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53],
                ["name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53],
            ],
        ]
        return service
    }

    private var endpoints: Object {
        var endpoints = Object(.endpoints, namespace: "default", name: "kubernetes")
        endpoints.metadata["labels"] = ["endpointslice.kubernetes.io/skip-mirror": "true"]
        endpoints["subsets"] = [
            [
                "addresses": [["ip": .string(configuration.advertiseAddress)]],
                "ports": [["name": "https", "port": JSON(configuration.advertisePort), "protocol": "TCP"]],
            ]
        ]
        return endpoints
    }

    private var endpointSlice: Object {
        var slice = Object(.endpointSlices, namespace: "default", name: "kubernetes")
        slice.metadata["labels"] = ["kubernetes.io/service-name": "kubernetes"]
        slice["addressType"] = "IPv4"
        slice["endpoints"] = [
            ["addresses": [.string(configuration.advertiseAddress)], "conditions": ["ready": true]]
        ]
        slice["ports"] = [["name": "https", "port": JSON(configuration.advertisePort), "protocol": "TCP"]]
        return slice
    }
}
