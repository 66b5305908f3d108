/// What this build is, and which Kubernetes it is compatible with.
public enum Version {
    public static let martlet = "0.1.0"
    /// What `/version` and nodes report.
    public static let kubernetes = "v1.33.0+martlet"
    public static let kubernetesMajor = "1"
    public static let kubernetesMinor = "33"
}
