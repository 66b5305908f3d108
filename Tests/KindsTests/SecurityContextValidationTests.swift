import Testing

@testable import APIMachinery
@testable import Kinds
@testable import KubernetesModel

@Suite struct SecurityContextValidationTests {
    @Test(
        arguments: [
            (
                "runAsUser", 4_294_967_295,
                "runAsUser: Invalid value: 4294967295: must be between 0 and 2147483647, inclusive"
            ),
            ("fsGroup", -1, "fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive"),
            (
                "supplementalGroups", [0, 2_147_483_648],
                "supplementalGroups[1]: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive"
            ),
            (
                "sysctls", [["name": "net/../kernel/core_pattern", "value": "x"]],
                "sysctls[0].name: Invalid value: \"net/../kernel/core_pattern\": must have at most 253 characters and match "
                    + "regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
            ),
            ("sysctls", [["name": "", "value": "x"]], "sysctls[0].name: Required value"),
            (
                "sysctls",
                [["name": "net.core.somaxconn", "value": "1"], ["name": "net/core/somaxconn", "value": "2"]],
                "sysctls[1].name: Duplicate value: \"net/core/somaxconn\""
            ),
            (
                "seccompProfile", ["type": "Strict"],
                "seccompProfile.type: Unsupported value: \"Strict\": supported values: \"Localhost\", \"RuntimeDefault\", "
                    + "\"Unconfined\""
            ),
            (
                "seccompProfile", ["type": "Localhost"],
                "seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"
            ),
            (
                "seccompProfile", ["type": "Localhost", "localhostProfile": "../../etc/shadow"],
                "seccompProfile.localhostProfile: Invalid value: \"../../etc/shadow\": must not contain '..'"
            ),
            (
                "seccompProfile", ["type": "RuntimeDefault", "localhostProfile": "a"],
                "seccompProfile.localhostProfile: Invalid value: \"a\": can only be set when seccomp type is Localhost"
            ),
        ] as [(String, JSON, String)])
    func aPodsContextIsChecked(field: String, value: JSON, wanted: String) throws {
        let faults = try ValidationTests.faults(ValidationTests.pod { $0["securityContext"][field] = value })
        #expect(faults == ["spec.securityContext.\(wanted)"])
    }

    @Test func aContainersContextIsCheckedToo() throws {
        let faults = try ValidationTests.faults(
            ValidationTests.pod {
                $0["containers"][0]["securityContext"] = [
                    "runAsGroup": 2_147_483_648, "seccompProfile": ["type": "Localhost"],
                ]
            })
        #expect(faults.count == 2 && faults.allSatisfy { $0.hasPrefix("spec.containers[0].securityContext.") })
    }

    @Test func whatIsRightStaysSo() throws {
        let faults = try ValidationTests.faults(
            ValidationTests.pod {
                $0["securityContext"] = [
                    "runAsUser": 2_147_483_647, "fsGroup": 0, "supplementalGroups": [1],
                    "sysctls": [["name": "kernel.shm_rmid_forced", "value": "1"]],
                    "seccompProfile": ["type": "Localhost", "localhostProfile": "profiles/audit.json"],
                ]
            })
        #expect(faults.isEmpty, "\(faults)")
    }
}
