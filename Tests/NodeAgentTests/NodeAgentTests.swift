import KubernetesModel
import Testing

@testable import NodeAgent

/// A pod as the API would have it after its defaults.
func makePod(_ name: String = "web", spec: JSON) -> Object {
    var pod = Object(.pods, namespace: "default", name: name)
    pod.metadata["uid"] = .string("uid-\(name)")
    pod.metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
    pod.spec = spec
    if pod.spec["restartPolicy"].isNull { pod.spec["restartPolicy"] = "Always" }
    pod.spec["nodeName"] = "node-1"
    return pod
}
