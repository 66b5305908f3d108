import ClusterLayout
import Testing

@Suite struct PathsTests {
    private let paths = ClusterPaths(profile: "lab", stateParent: "/state", runtimeParent: "/run")

    @Test func aClusterHasADirectoryOfItsOwnInBothParents() {
        #expect(paths.state == "/state/lab")
        #expect(paths.runtime == "/run/lab")
        #expect(paths.images == "/state/images", "images are shared by all clusters")
        #expect(paths.pki.authority == "/state/lab/pki/ca.crt")
        #expect(paths.pki.kubeconfig("admin") == "/state/lab/pki/admin.kubeconfig")
    }

    @Test func aNodeIsWithinItsCluster() {
        let node = paths.node("node-1")
        #expect(node.directory == "/state/lab/nodes/node-1")
        #expect(node.pod("uid") == "/state/lab/nodes/node-1/pods/uid")
        #expect(node.podLogs == "/state/lab/nodes/node-1/log/pods")
        #expect(node.socket == "/run/lab/node-node-1.sock")
        #expect(node.controlGroup == clusterGroup(stateDirectory: "/state/lab") + "/node-1")
    }

    @Test func clustersOfOneNameHaveGroupsOfTheirOwn() {
        let (one, other) = (clusterGroup(stateDirectory: "/a/default"), clusterGroup(stateDirectory: "/b/default"))
        #expect(one != other)
        #expect(one.hasPrefix("martlet/default-"))
        #expect(one == clusterGroup(stateDirectory: "/a/default/"), "the same directory, written otherwise")
    }

    @Test func theScopeIsNamedAsTheGroup() {
        let state = "/var/lib/martlet/my-profile"
        let identity = clusterGroup(stateDirectory: state).dropFirst("martlet/".count)
        #expect(clusterScope(stateDirectory: state) == "martlet-\(identity).scope")
    }
}
