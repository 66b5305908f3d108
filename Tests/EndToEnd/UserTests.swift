import Foundation
import TestSupport
import Testing

/// What people who ported their apps, and the clients that they use, met first.
struct UserTests {
    @Test(.timeLimit(.minutes(3)))
    func whatUsersMet() async throws {
        try await Cluster.running(nodes: 2) { cluster in
            try await cluster.apply(Manifest.deployment("web", replicas: "2"))
            try await cluster.kubectl("create", "pdb", "web", "--selector=app=web", "--min-available=1")
            try await cluster.apply(Self.page)
            try await cluster.apply(Self.plain)
            try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
            try await listsProcesses(cluster)
            try await writesToStandardOutput(cluster)
            try await rewritesLinks(cluster)
            try await warnsOfWaiting(cluster)
            try await drains(cluster)
        }
    }

    /// For gdb, perf and nsenter: the numbers are those of the machine.
    private func listsProcesses(_ cluster: Cluster) async throws {
        let text = try await cluster.martlet("ps", "--namespace", "default", "--output", "json")
        let list = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
        let pods = list.filter { ($0["pod"] as? String)?.hasPrefix("web-") ?? false }
        #expect(pods.count == 2 && pods.allSatisfy { $0["container"] as? String == "main" }, "\(text)")
        for pod in pods {
            let (pid, name) = (try #require(pod["pid"] as? Int), try #require(pod["pod"] as? String))
            let command = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            #expect(String(decoding: command, as: UTF8.self).hasPrefix("/bin/sleep"))
            let table = try await cluster.martlet("ps", name)
            #expect(table.split(separator: "\n").count == 2 && table.contains(" \(pid) "), "\(table)")
            // Its parent, which names the pod in the machine's own list.
            let status = String(
                decoding: FileManager.default.contents(atPath: "/proc/\(pid)/status") ?? Data(), as: UTF8.self)
            let line = status.split(separator: "\n").first { $0.hasPrefix("PPid:") }
            let parent = try #require(line?.split(whereSeparator: \.isWhitespace).last)
            let above = FileManager.default.contents(atPath: "/proc/\(parent)/cmdline") ?? Data()
            #expect(String(decoding: above, as: UTF8.self).contains("default/\(name)"))
        }
        let absent = try await cluster.attemptMartlet("ps", "absent")
        #expect(absent.status == 1 && absent.errors.contains("no container of a pod \"absent\" runs"), "\(absent)")
    }

    private static let plain = """
        apiVersion: v1
        kind: Pod
        metadata: {name: plain}
        spec:
          securityContext: {runAsUser: 33, runAsGroup: 33}
          terminationGracePeriodSeconds: 0
          containers:
          - name: main
            image: host
            command: [/bin/sh, -c, "echo to-output >/dev/stdout; echo to-errors >/dev/stderr; exec sleep 1000"]
        """

    private func writesToStandardOutput(_ cluster: Cluster) async throws {
        try await cluster.kubectl("wait", "--for=condition=Ready", "pod/plain", "--timeout=60s")
        let log = try await eventually("the log has both streams") {
            let log = try await cluster.kubectl("logs", "plain")
            return log.contains("to-errors") ? log : nil
        }
        #expect(log.contains("to-output"))
    }

    private static let page = """
        apiVersion: v1
        kind: Pod
        metadata: {name: page, labels: {app: page}}
        spec:
          terminationGracePeriodSeconds: 0
          containers:
          - name: main
            image: host
            command: [/bin/sh, -c]
            args: ["mkdir /srv/page && cd /srv/page && echo '<a href=\\"/next\\">' >index.html && exec python3 -m http.server 80"]
            readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: page}
        spec: {selector: {app: page}, ports: [{port: 80}]}
        """

    private func rewritesLinks(_ cluster: Cluster) async throws {
        try await cluster.kubectl("wait", "--for=condition=Ready", "pod/page", "--timeout=60s")
        for path in ["services/page", "pods/page:80"] {
            let prefix = "/api/v1/namespaces/default/\(path)/proxy"
            let text = try await eventually("\(path) answers") {
                let result = try await cluster.attemptKubectl("get", "--raw", "\(prefix)/")
                return result.status == 0 ? result.output : nil
            }
            #expect(text.contains("<a href=\"\(prefix)/next\">"), "\(text)")
        }
    }

    /// Nothing acts on StatefulSets yet; whoever waits for one is not left without a word.
    private func warnsOfWaiting(_ cluster: Cluster) async throws {
        try await cluster.apply(
            Manifest.deployment("idle").replacing("kind: Deployment", with: "kind: StatefulSet")
                .replacing("spec:\n  replicas", with: "spec:\n  serviceName: idle\n  replicas"))
        let waited = try await cluster.attemptKubectl("rollout", "status", "statefulset/idle", "--timeout=2s")
        #expect(waited.status != 0 && waited.errors.contains("does not act on statefulsets.apps"), "\(waited)")
    }

    /// The budget lets one pod go at a time, and the next once there is another.
    private func drains(_ cluster: Cluster) async throws {
        let allowed = try await cluster.kubectl("get", "pdb", "web", "-o", "jsonpath={.status.disruptionsAllowed}")
        #expect(allowed == "1")
        try await cluster.kubectl("drain", "node-1", "--force", "--timeout=60s")
        let nodes = try await cluster.kubectl(
            "get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec.nodeName}")
        #expect(nodes.split(separator: " ").filter { $0 == "node-2" }.count >= 1, "\(nodes)")
        try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    }
}
