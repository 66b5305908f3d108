import ClusterLayout
import KubernetesModel

/// The kubeconfig by which a cluster's administrator reaches it.
public struct ClusterKubeconfig: Sendable {
    let paths: ClusterPaths

    public init(_ paths: ClusterPaths) { self.paths = paths }

    public var path: String { paths.pki.kubeconfig("admin") }

    public func document() throws -> JSON {
        guard let text = try Files.text(path) else { throw SupervisorError.notRunning(profile: paths.profile) }
        return try JSON(yaml: text)
    }
}
