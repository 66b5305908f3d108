import KubernetesModel
import Testing

@testable import NodeAgent

@Suite struct PodAdmissionTests {
    let admission = PodAdmission(
        allocatable: ["cpu": Quantity("1") ?? .zero, "pods": Quantity(2)], labels: ["zone": "a"])

    func pod(_ name: String, cpu: String, selector: JSON = [:]) -> Pod {
        Pod(
            makePod(
                name,
                spec: [
                    "nodeSelector": selector,
                    "containers": [["name": "a", "resources": ["requests": ["cpu": .string(cpu)]]]],
                ]))
    }

    @Test func whatDoesNotFitIsRejectedWithTheReason() {
        let other = pod("other", cpu: "600m")
        #expect(admission.check(pod("a", cpu: "400m"), others: [other]) == nil)
        #expect(
            admission.check(pod("a", cpu: "500m"), others: [other])
                == PodAdmission.Rejection(
                    reason: "OutOfcpu",
                    message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 500, used: 600, "
                        + "capacity: 1000"))
        #expect(admission.check(pod("a", cpu: "0"), others: [other, other])?.reason == "OutOfpods")
        #expect(admission.check(pod("a", cpu: "0", selector: ["zone": "b"]), others: [])?.reason == "NodeAffinity")
        #expect(admission.check(pod("a", cpu: "0", selector: ["zone": "a"]), others: []) == nil)
    }
}
