import Glibc
import Linux

/// The files of an image as its containers begin with them, read without trust in who made the image.
public struct ImageFiles: Sendable {
    /// Lowest first, as in `ResolvedImage`.
    let layers: [String]

    public init(layers: [String]) { self.layers = layers }

    /// Of a table of users or groups: thousands of them.
    public static let maxTableSize = 1 << 20

    /// The bytes of a regular file; nil where nothing is at `path`. Links are followed within the image. It blocks.
    ///
    /// - Throws: `ImageError.usage` for what is no regular file, and for more than `maxTableSize` bytes.
    public func table(_ path: String) throws(ImageError) -> [UInt8]? {
        let found: LayerStack.Node?
        do throws(ImageError) {
            found = try LayerStack(layers: layers).find(path)
        } catch {
            // A file on the way is nothing at its end.
            if case .system(_, _, ENOTDIR) = error { return nil }
            throw error
        }
        guard let node = found else { return nil }
        // Not opened: to open a device can have effects.
        guard node.kind == S_IFREG else { throw .usage("the image's \(path) is no regular file") }
        let file = try node.places[0].openFile()
        do throws(SystemError) {
            return try file.readRegularFile(limit: Self.maxTableSize)
        } catch {
            if error.errno == EFBIG { throw .usage("the image's \(path) has more than \(Self.maxTableSize) bytes") }
            throw .system(error.call, path: path, errno: error.errno)
        }
    }
}
