import Testing

@testable import KubernetesModel

@Suite struct SysctlTests {
    @Test(
        arguments: [
            ("net.ipv4.tcp_syncookies", "net.ipv4.tcp_syncookies", "net/ipv4/tcp_syncookies"),
            ("net/ipv4/tcp_syncookies", "net.ipv4.tcp_syncookies", "net/ipv4/tcp_syncookies"),
            ("net.ipv4.conf.eth0/1.forwarding", "net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
            ("net/ipv4/conf/eth0.1/forwarding", "net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ]) func hasOneName(text: String, name: String, path: String) throws
    {
        let sysctl = try #require(Sysctl(text))
        #expect(sysctl.name == name && sysctl.path == path)
    }

    @Test(arguments: [
        "", ".", "..", "net..x", "net/../kernel/core_pattern", "/kernel/core_pattern", "kernel.", "Kernel.x", "a b",
        "a\n",
        String(repeating: "a", count: 254),
    ]) func refuses(text: String) { #expect(Sysctl(text) == nil) }

    @Test func knowsWhoseItIs() {
        func namespace(_ name: String) -> Sysctl.Namespace? { Sysctl(name)?.namespace }
        #expect(namespace("net.core.somaxconn") == .network && namespace("kernel.shmmax") == .ipc)
        #expect(namespace("kernel.sem") == .ipc && namespace("fs.mqueue.msg_max") == .ipc)
        for name in ["kernel.core_pattern", "vm.swappiness", "fs.file-max", "kernel.semx", "network.x"] {
            #expect(namespace(name) == nil)
        }
        #expect(Sysctl("net.ipv4.tcp_syncookies")?.isSafe == true && Sysctl("net.core.somaxconn")?.isSafe == false)
    }

    @Test func aPatternCoversItsBeginning() throws {
        let message = try #require(SysctlPattern("kernel.msg*"))
        #expect(message.matches(try #require(Sysctl("kernel.msgmax"))))
        #expect(!message.matches(try #require(Sysctl("kernel.shmmax"))))
        let one = try #require(SysctlPattern("net.core.somaxconn"))
        #expect(one.matches(try #require(Sysctl("net.core.somaxconn"))))
        for text in ["kernel.*", "*", "vm.*", "kernel.core_pattern", "net", "fs.*"] {
            #expect(SysctlPattern(text) == nil, "\(text) is not a pod's own")
        }
        #expect(SysctlPattern("net.*") != nil && SysctlPattern("fs.mqueue.*") != nil)
    }
}
