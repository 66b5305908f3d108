import ClusterLayout
import Linux

extension ClusterPaths {
    /// Makes the cluster's directories, for this user alone. What an earlier version has left open to others is closed.
    func closeToOthers() throws(SupervisorError) {
        for directory in [state, runtime, logs, pki.directory] {
            try Files.makePrivateDirectory(directory)
            try Files.makeFilesPrivate(in: directory)
        }
        if Files.exists(images) { try Files.makePrivateDirectory(images) }
    }
}
