import Glibc
import Linux

/// A file or directory in one layer.
struct LayerPlace: Hashable {
    /// The layer's directory; `/` for the machine's own root.
    let layer: String
    /// From there, without links and without a slash at the start; empty for the layer itself.
    let path: String

    func appending(_ name: String) -> LayerPlace {
        LayerPlace(layer: layer, path: path.isEmpty ? name : "\(path)/\(name)")
    }

    var onDisk: String { path.isEmpty ? layer : layer == "/" ? "/" + path : "\(layer)/\(path)" }

    /// Opens a regular file, if it still is one: what else has got its name, such as a link, a pipe or a device, is an
    /// error and is not waited for.
    func openFile() throws(ImageError) -> Descriptor {
        let file = try ImageError.mapping(path: onDisk) { () throws(SystemError) in
            let top = try Descriptor.open(layer, O_RDONLY | O_DIRECTORY)
            return try Descriptor.open(
                path, in: top, O_RDONLY | O_NONBLOCK | O_NOCTTY, confined: [.beneath, .noLinks])
        }
        let status = try ImageError.mapping(path: onDisk) { () throws(SystemError) in try file.status() }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .usage("\(onDisk) is no regular file") }
        return file
    }
}
