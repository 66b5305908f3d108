import Glibc
import Linux

@testable import ImageStore

extension FuzzTarget {
    /// A layer, compressed or not, is unpacked or refused, and nothing beside its directory changes.
    static let layers = FuzzTarget("layers", maxLength: 8192) { input in
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/martlet-fuzz-XXXXXX".utf8CString)
        guard let directory = mkdtemp(&template).map({ String(cString: $0) }) else {
            throw SystemError("mkdtemp", parent)
        }
        defer { try? removeTree(directory, opening: true) }
        try replaceFile(directory + "/blob", input)
        try makeDirectory(directory + "/outside")
        try replaceFile(directory + "/outside/kept", Array("kept".utf8))
        let before = try state(directory)
        try makeDirectory(directory + "/layer")
        let top = try Descriptor.open(directory + "/layer", O_RDONLY | O_DIRECTORY)
        var unpacker = LayerUnpacker(
            archive: "blob", into: try top.duplicate(),
            limits: LayerUnpacker.Limits(entries: 200, pathBytes: 1 << 14, bytes: 1 << 18))
        if let outcome = try? unpacker.run(try Descriptor.open(directory + "/blob", O_RDONLY)) {
            try? LayerUnpacker.markOpaque(outcome.opaque, in: top)
        }
        try require(try state(directory) == before, "it changed what is outside of its directory")
    }

    /// What could be changed from a layer beside it.
    private static func state(_ directory: String) throws -> [String] {
        try namesInDirectory(directory).filter { $0 != "layer" }.sorted()
            + ["outside", "outside/kept"].map { name in
                var status = stat()
                guard lstat("\(directory)/\(name)", &status) == 0 else { throw SystemError("lstat", name) }
                return "\(name) \(status.st_mode) \(status.st_uid) \(status.st_nlink) \(status.st_mtim.tv_sec)"
            }
    }
}
