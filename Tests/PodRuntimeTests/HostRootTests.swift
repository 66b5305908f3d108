import Testing

@testable import PodRuntime

@Suite struct HostRootTests {
    @Test func takesDiskFilesystemsBelowTheRoot() {
        let mountinfo = """
            22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
            23 22 0:21 / /proc rw - proc proc rw
            24 22 8:2 / /usr rw,relatime shared:1 - ext4 /dev/sda2 rw
            25 24 8:3 / /usr/local rw - xfs /dev/sda3 rw
            26 22 8:4 / /home rw - btrfs /dev/sda4 rw
            27 22 8:5 / /tmp rw - ext4 /dev/sda5 rw
            28 22 0:30 / /run rw - tmpfs tmpfs rw
            """
        #expect(HostRoot.parse(mountinfo) == ["/usr", "/home"])
    }
}
