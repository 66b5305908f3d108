import Testing

@testable import APIMachinery
@testable import Kinds
@testable import KubernetesModel

@Suite struct DefaultingTests {
    @Test func fillsInDefaults() throws {
        let kind = try Sample.kind("apps/v1", "Deployment")
        var object = try StructuralDecoding(Sample.deployment(["name": "c", "image": "nginx"]), as: kind.info).object
        kind.applyDefaults(&object)
        #expect(object.spec["replicas"] == 1)
        #expect(object.spec["strategy"]["rollingUpdate"] == ["maxSurge": "25%", "maxUnavailable": "25%"])
        let pod = object.spec["template"]["spec"]
        #expect(pod["dnsPolicy"] == "ClusterFirst")
        #expect(pod["containers"][0]["imagePullPolicy"] == "Always")
        var again = object
        kind.applyDefaults(&again)
        #expect(again == object)
    }

    @Test(arguments: [
        ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1.27", "IfNotPresent"),
        ("localhost:5000/nginx", "Always"),
        ("nginx@sha256:0123", "IfNotPresent"),
    ])
    func pullsByTag(image: String, policy: String) {
        #expect(PodDefaults.pullPolicy(image) == policy)
    }
}
