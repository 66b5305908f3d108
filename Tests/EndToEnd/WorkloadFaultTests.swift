import Glibc
import TestSupport
import Testing

/// Workloads that cannot run say why, with Kubernetes' reasons, and everything else goes on.
struct WorkloadFaultTests {
    /// A pod, and what becomes of it.
    struct Fault {
        let pod: String
        var image = "host"
        let container: String
        /// The reason for which its container waits in the end.
        let waiting: String
        /// The reason for which it ended before, and its exit code.
        var ended: (reason: String, exitCode: String)?
        /// The reasons of events that tell of it, and what some of them say.
        let events: [String]
        let messages: [String]
    }

    static let faults = [
        Fault(
            pod: "no-image", image: "nope:1.0", container: "", waiting: "ImagePullBackOff",
            events: ["Pulling", "Failed", "BackOff"],
            messages: [
                #"Failed to pull image "nope:1.0""#, "Failed: Error: ErrImagePull", "Failed: Error: ImagePullBackOff",
                #"BackOff: Back-off pulling image "nope:1.0""#,
            ]),
        Fault(
            pod: "bad-image", image: "No Pe", container: "", waiting: "InvalidImageName",
            events: ["InspectFailed", "Failed"],
            messages: [#"couldn't parse image name "No Pe": invalid reference format"#]),
        Fault(
            pod: "never-pulled", image: "nope:2.0", container: "imagePullPolicy: Never", waiting: "ErrImageNeverPull",
            events: ["ErrImageNeverPull"],
            messages: [#"Container image "nope:2.0" is not present with pull policy of Never"#]),
        Fault(
            pod: "no-command", container: "command: [/no/such/thing]", waiting: "CrashLoopBackOff",
            ended: ("StartError", "128"), events: ["Failed", "BackOff"],
            messages: [#"exec: "/no/such/thing": stat /no/such/thing: no such file or directory"#]),
        Fault(
            pod: "exits", container: #"command: [/bin/sh, -c, "echo bye; exit 3"]"#, waiting: "CrashLoopBackOff",
            ended: ("Error", "3"), events: ["Started", "BackOff"],
            messages: ["Back-off restarting failed container main in pod exits_default"]),
        Fault(
            pod: "eats",
            container: "command: [/usr/bin/python3, -c, 'bytearray(200 << 20)'], "
                + "resources: {limits: {memory: 40Mi}}", waiting: "CrashLoopBackOff",
            ended: ("OOMKilled", "137"), events: ["Started", "BackOff"],
            messages: ["Back-off restarting failed container main in pod eats_default"]),
        Fault(
            pod: "no-settings", container: "envFrom: [{configMapRef: {name: nope}}]",
            waiting: "CreateContainerConfigError", events: ["Failed"], messages: [#"Error: configmap "nope" not found"#]
        ),
    ]

    @Test(.timeLimit(.minutes(2)))
    func faultyPodsSayWhy() async throws {
        try await Cluster.running { cluster in
            try await cluster.apply(Manifest.website("web", replicas: 1))
            for fault in Self.faults {
                try await cluster.apply(Manifest.pod(fault.pod, image: fault.image, container: fault.container))
            }
            for fault in Self.faults {
                try await eventually("\(fault.pod) waits for \(fault.waiting)") {
                    let state = try await cluster.kubectl(
                        "get", "pod", fault.pod, "-o",
                        "jsonpath={.status.containerStatuses[0].state.waiting.reason} "
                            + "{.status.containerStatuses[0].lastState.terminated.reason} "
                            + "{.status.containerStatuses[0].lastState.terminated.exitCode}")
                    let expected = [fault.waiting, fault.ended?.reason, fault.ended?.exitCode].compactMap { $0 }
                    return state.split(separator: " ").map(String.init) == expected
                }
                try await eventually("events tell of \(fault.pod)") {
                    let events = try await cluster.kubectl(
                        "get", "events", "--field-selector", "involvedObject.name=\(fault.pod)", "-o",
                        "jsonpath={range .items[*]}{.reason}: {.message}{'\\n'}{end}")
                    let all = fault.events.allSatisfy { reason in
                        events.split(separator: "\n").contains { $0.hasPrefix("\(reason): ") }
                    }
                    return all && fault.messages.allSatisfy(events.contains)
                }
            }
            #expect(try await cluster.kubectl("logs", "exits", "--previous") == "bye")
            try await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func unschedulablePodsSayWhy() async throws {
        try await Cluster.running { cluster in
            try await cluster.apply(
                Manifest.pod("huge", container: "resources: {requests: {cpu: '1000'}}"))
            let words = "0/1 nodes are available: 1 Insufficient cpu."
            try await eventually("the condition and an event say why") {
                let condition = try await cluster.kubectl(
                    "get", "pod", "huge", "-o",
                    "jsonpath={.status.conditions[?(@.type=='PodScheduled')].reason} {.status.conditions[*].message}")
                let events = try await cluster.kubectl("get", "events", "-o", "jsonpath={.items[*].message}")
                return condition.hasPrefix("Unschedulable " + words) && events.contains(words)
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aServiceWithoutItsHostPortSaysSo() async throws {
        try await Cluster.running { cluster in
            let taken = try #require(HostPort.takeOne(of: 30000...32767), "some node port is free")
            // Taken on every address, so also on that of a LoadBalancer Service.
            let takenEverywhere = try #require(HostPort.takeOne(of: 20000...29999, on: 0), "some port is free")
            defer { takenEverywhere.release() }
            try await cluster.apply(Manifest.website("web", replicas: 1))
            try await cluster.apply(
                """
                apiVersion: v1
                kind: Service
                metadata: {name: unlucky}
                spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: \(taken.port)}]}
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: balanced}
                spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: \(takenEverywhere.port), targetPort: 80}]}
                """)
            let balanced = "\(try await cluster.address(ofService: "balanced")):\(takenEverywhere.port)"
            for (name, place) in [("unlucky", "127.0.0.1:\(taken.port)"), ("balanced", balanced)] {
                let problem = "cannot listen at \(place)/TCP on this machine: Address already in use"
                try await eventually("the condition and an event of \(name) say so") {
                    let condition = try await cluster.kubectl(
                        "get", "service", name, "-o",
                        "jsonpath={.status.conditions[0].status} {.status.conditions[0].reason} "
                            + "{.status.conditions[0].message}")
                    let events = try await cluster.kubectl("describe", "service", name)
                    return condition.hasPrefix("False PortNotAvailable \(problem)")
                        && events.contains("PortNotAvailable") && events.contains(problem)
                }
            }
            let address = try await cluster.address(ofService: "web")
            try await eventually("the other Service answers") {
                try await cluster.shell.attempt("curl", ["-fsS", "-o", "/dev/null", "http://\(address)/"]).status == 0
            }
            taken.release()
            try await eventually("the port is served once it is free") {
                let condition = try await cluster.kubectl(
                    "get", "service", "unlucky", "-o", "jsonpath={.status.conditions[0].status}")
                let url = "http://127.0.0.1:\(taken.port)/"
                let answer = try await cluster.shell.attempt("curl", ["-fsS", "-o", "/dev/null", url])
                return condition == "True" && answer.status == 0
            }
        }
    }
}

/// A port of the machine that this process listens at.
struct HostPort {
    let port: Int
    private let descriptor: Int32

    /// One of `ports` that is free at an address; 0 stands for all addresses.
    static func takeOne(of ports: ClosedRange<Int>, on host: UInt32 = 0x7F00_0001) -> HostPort? {
        for port in ports.shuffled() {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = host.bigEndian
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if bound == 0, listen(descriptor, 1) == 0 { return HostPort(port: port, descriptor: descriptor) }
            close(descriptor)
        }
        return nil
    }

    func release() { close(descriptor) }
}
