/// Manifests of workloads that need no image but the machine's own programs.
enum Manifest {
    /// A Deployment of one container, which ends at once when it is asked to.
    ///
    /// - Parameter container: further fields of the container, in YAML's flow style.
    static func deployment(
        _ name: String, replicas: String = "1", selector: String? = nil, label: String? = nil, container: String = ""
    ) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: \(name)}
        spec:
          replicas: \(replicas)
          selector: {matchLabels: {app: \(selector ?? name)}}
          template:
            metadata: {labels: {app: \(label ?? selector ?? name)}}
            spec:
              terminationGracePeriodSeconds: 0
              containers:
              - {name: main, image: host, command: [/bin/sleep, "1000"]\(container.isEmpty ? "" : ", " + container)}
        """
    }

    /// A Deployment of web servers and the LoadBalancer Service before them.
    static func website(_ name: String, replicas: Int) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: \(name)}
        spec:
          replicas: \(replicas)
          selector: {matchLabels: {app: \(name)}}
          template:
            metadata: {labels: {app: \(name)}}
            spec:
              terminationGracePeriodSeconds: 0
              containers:
              - name: main
                image: host
                command: [/usr/bin/python3, -m, http.server, "80", --directory, /etc/nginx]
                readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: \(name)}
        spec: {type: LoadBalancer, selector: {app: \(name)}, ports: [{port: 80}]}
        """
    }

    /// A pod of one container.
    static func pod(_ name: String, image: String = "host", container: String = "") -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name), labels: {app: \(name)}}
        spec:
          terminationGracePeriodSeconds: 0
          containers:
          - {name: main, image: "\(image)"\(container.isEmpty ? "" : ", " + container)}
        """
    }
}
