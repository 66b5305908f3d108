import Glibc
import Linux
import Logging

/// The pods' processes of a cluster, found without its components.
struct PodProcesses {
    let paths: ClusterPaths

    func end(node: String?, logger: Logger) async {
    }
}
