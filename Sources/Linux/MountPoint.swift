import Glibc

/// Whether a filesystem begins at `path`.
package func isMountPoint(_ path: String) -> Bool {
    var own = stat()
    var parent = stat()
    guard lstat(path, &own) == 0, lstat(path + "/..", &parent) == 0 else { return false }
    return own.st_dev != parent.st_dev
}
