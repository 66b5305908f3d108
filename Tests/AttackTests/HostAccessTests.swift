import Glibc
import KubernetesModel
import Linux
import PodRuntime
import SandboxNode
import TestSupport
import Testing

/// Ways from a container to the machine's files: through its init, its mounts, its descriptors.
@Suite(.enabled(if: getuid() == 0, "needs root"), .timeLimit(.minutes(2))) struct HostAccessTests {
    /// A working directory is taken by a process that may still do everything.
    @Test(arguments: ["/proc/1/root", "/proc/1/cwd", "/proc/self/fd/3", "/proc/self/fd/4", "/link"])
    func aWorkingDirectoryLeadsNowhereElse(path: String) async throws {
        try await withRuntime { node in
            try await node.start("one", shared: true)
            try makeDirectory("\(node.directory)/layer")
            #expect(symlink("/proc/1/root", "\(node.directory)/layer/link") == 0)
            let error = await #expect(throws: RuntimeError.self) {
                try await node.run("one", ["ls"]) {
                    $0.root.layers.append("\(node.directory)/layer")
                    $0.workingDirectory = path
                }
            }
            #expect(error?.description.contains(path) == true)
        }
    }

    /// The first process that containers of one pod share has nothing: no files, no rights, no descriptors.
    @Test func theSharedFirstProcessHasNothing() async throws {
        try await withRuntime { node in
            try await node.start("one", shared: true)
            let script = """
                cat /proc/1/comm; tr '\\0' ' ' </proc/1/cmdline; echo; grep -E '^(Uid|CapEff|CapPrm):' /proc/1/status | tr '\\t' ' '
                ls /proc/1/root/etc /proc/1/fd/ 2>&1 | grep -c . ; cat /proc/1/exe >/dev/null 2>&1 && echo exe
                ls /proc | grep -c '^[0-9]'
                """
            let lines = try await node.output(script)
            #expect(lines.first == "pause")
            #expect(lines.contains { $0.hasPrefix("Uid: 65535") })
            #expect(lines.filter { $0.hasSuffix("0000000000000000") }.count == 2, "\(lines)")
            #expect(!lines.contains("exe") && !lines.joined().contains(node.directory), "\(lines)")
        }
    }

    /// The init itself, which may do everything, is in an empty root and in nobody's process list.
    @Test(arguments: [true, false]) func theInitIsOutOfReach(shared: Bool) async throws {
        try await withRuntime { node in
            // The second one joins the root of the first.
            for name in ["one", "two"] { try await node.start(name, shared: shared) }
            for sandbox in try await node.runtime.sandboxes() {
                let init_ = sandbox.pid
                #expect(try listDirectory("/proc/\(init_)/root") == ["null"])
                #expect(try readFile("/proc/\(init_)/mountinfo").split(separator: "\n").count == 1)
                let output = try await node.output(
                    "cat /proc/*/comm | grep -c martlet-init", pod: sandbox.podUID, name: sandbox.podUID)
                #expect(output == ["0"])
                // Its descriptors: what it listens on, the exits, and what it watches.
                for number in try listDirectory("/proc/\(init_)/fd") {
                    var buffer = [UInt8](repeating: 0, count: 4096)
                    let count = readlink("/proc/\(init_)/fd/\(number)", &buffer, buffer.count)
                    let target = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
                    let isKnown =
                        ["/null", "\(node.paths.pod(sandbox.podUID))/exits"].contains(target)
                        || target.hasPrefix("socket:") || target.hasPrefix("anon_inode:")
                    #expect(isKnown, "\(target)")
                }
            }
        }
    }

    /// CVE-2019-5736 and its like: the program that enters a container, reached by its process.
    @Test(arguments: [true, false]) func theInitsProgramCannotBeChanged(shared: Bool) async throws {
        let program = Products.path("martlet-init")
        let (mode_, content) = (try mode(of: program), try readBytes(program))
        try await withRuntime { node in
            try await node.start("one", shared: shared)
            let script = """
                for exe in /proc/[0-9]*/exe; do chmod u+s $exe; cp /bin/true $exe; echo x >>$exe; done 2>/dev/null
                for exe in /proc/[0-9]*/map_files/*; do chmod u+s $exe; done 2>/dev/null; echo end
                """
            let id = try await node.run("one", ["sh", "-c", "while :; do { \(script); } >/dev/null; done"])
            for _ in 0..<20 {
                _ = try? await node.output(of: "true", in: id)
                // The program itself, run where the container's own would be.
                _ = try? await node.runtime.execute(
                    ExecConfiguration(container: id, arguments: ["/proc/self/exe", "pod"]))
            }
            try await node.runtime.signalContainer(id, signal: SIGKILL)
            _ = try await node.end(of: id)
        }
        #expect(try mode(of: program) == mode_)
        #expect(try readBytes(program) == content)
    }

    /// What hides a file, and what stands for no input, is not the machine's own null device.
    @Test func theMachinesNullDeviceStaysAsItIs() async throws {
        let before = try mode(of: "/dev/null")
        try await withRuntime { node in
            try await node.start("one", shared: true)
            let script = """
                chmod 0 /proc/kcore /proc/keys /proc/self/fd/0 /proc/1/fd/0 /dev/null; chown 1234 /proc/kcore; echo end
                """
            _ = try await node.output(script)
            let id = try await node.run("one", ["sleep", "1000"], name: "other")
            _ = try await node.output(of: "chmod 0 /proc/self/fd/0 /proc/self/fd/2", in: id)
        }
        #expect(try mode(of: "/dev/null") == before)
    }

    /// A volume's part is swapped for a link to the machine while containers are started on it.
    @Test func aSubPathThatIsSwappedStaysInItsVolume() async throws {
        try await withRuntime { node in
            try await node.start("one")
            let volume = "\(node.directory)/volume"
            try makeDirectory("\(volume)/part")
            try makeDirectory("\(volume)/other")
            try makeDirectory("\(node.directory)/secret")
            try replaceFile("\(node.directory)/secret/mark", [1])
            #expect(symlink("\(node.directory)/secret", "\(volume)/link") == 0)
            #expect(symlink("../../secret", "\(volume)/up") == 0)
            let swapping = Task.detached {
                while !Task.isCancelled {
                    for name in ["link", "up"] {
                        rename("\(volume)/part", "\(volume)/kept")
                        rename("\(volume)/\(name)", "\(volume)/part")
                        await Task.yield()
                        rename("\(volume)/part", "\(volume)/\(name)")
                        rename("\(volume)/kept", "\(volume)/part")
                    }
                }
            }
            for round in 0..<40 {
                let id = try? await node.run("one", ["sh", "-c", "test ! -e /in/mark"], name: "c\(round)") {
                    $0.mounts = [Mount(source: .subPath("part", of: volume), target: "/in", readOnly: false)]
                }
                if let id { #expect(try await node.end(of: id).phase.code == 0, "it is out of its volume") }
            }
            swapping.cancel()
            await swapping.value
        }
    }

    @Test(arguments: ["/proc", "/proc/self", "/proc/sys/kernel", "/proc/uptime", "/proc/self/attr"])
    func nothingIsPutOverWhatTheKernelSays(target: String) async throws {
        try await withRuntime { node in
            try await node.start("one")
            try makeDirectory("\(node.directory)/volume")
            let error = await #expect(throws: RuntimeError.self) {
                try await node.run("one", ["true"]) {
                    $0.mounts = [Mount(source: .path("\(node.directory)/volume"), target: target, readOnly: false)]
                }
            }
            #expect(error?.description == "mount \(target): operation not permitted")
        }
    }

    /// Parameters of the whole machine, by every name that a pod can think of.
    @Test(arguments: ["kernel.core_pattern", "kernel.shm/../core_pattern", "vm.swappiness", "net.core.somaxconn"])
    func aParameterOfTheMachineIsNotSet(name: String) async throws {
        let path =
            "/proc/sys/"
            + (name.hasPrefix("kernel") ? "kernel/core_pattern" : name.split(separator: ".").joined(separator: "/"))
        let before = try readFile(path)
        guard let sysctl = Sysctl(name) else {
            #expect(name.contains(".."))
            return
        }
        try await withRuntime { node in
            // On the host's network its parameters are the machine's too.
            await #expect(throws: (any Error).self) {
                _ = try await node.runtime.startSandbox(
                    SandboxConfiguration(
                        podUID: "one", namespace: "default", name: "one", hostname: "one", address: nil,
                        sysctls: [sysctl: "7"]))
            }
        }
        #expect(try readFile(path) == before)
    }
}
