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

    @Test(
        arguments: [
            ("net.ipv4.tcp_syncookies", [:], nil), ("kernel.shm_rmid_forced", [:], nil),
            ("net.core.somaxconn", [:], nil),
            ("kernel.core_pattern", [:], "\"kernel.core_pattern\" not allowlisted"),
            ("net.ipv4.tcp_mem", [:], "\"net.ipv4.tcp_mem\" not allowlisted"),
            ("net/../kernel/core_pattern", [:], "\"net/../kernel/core_pattern\" not allowlisted"),
            (
                "net.ipv4.tcp_syncookies", ["hostNetwork": true],
                "\"net.ipv4.tcp_syncookies\" not allowed with host net enabled"
            ),
            (
                "kernel.shm_rmid_forced", ["hostIPC": true],
                "\"kernel.shm_rmid_forced\" not allowed with host ipc enabled"
            ),
        ] as [(String, JSON, String?)])
    func aSysctlIsThePodsOwnOrAllowed(name: String, spec: JSON, fault: String?) throws {
        var admission = admission
        admission.allowedUnsafeSysctls = [try #require(SysctlPattern("net.core.*"))]
        var spec = spec
        spec["containers"] = [["name": "a"]]
        spec["securityContext"] = ["sysctls": [["name": .string(name), "value": "1"]]]
        let rejection = admission.check(Pod(makePod("p", spec: spec)), others: [])
        #expect(rejection?.message == fault.map { "forbidden sysctl: \($0)" })
        #expect(rejection == nil || rejection?.reason == "SysctlForbidden")
    }
}
