import Glibc
import Supervisor

/// Text files that a user names.
enum TextFile {
    static func read(_ path: String, whatFor: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw SupervisorError.file(
                path: path, problem: "cannot read \(whatFor): \(String(cString: strerror(errno)))",
                remedy: "name a file that is there and that you may read")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = Glibc.read(descriptor, &buffer, buffer.count), count > 0 {
            bytes.append(contentsOf: buffer[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
