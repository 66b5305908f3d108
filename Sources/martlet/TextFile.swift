import Glibc
import Linux
import Supervisor

/// Text files that a user names.
enum TextFile {
    static func read(_ path: String, whatFor: String) throws -> String {
        do throws(SystemError) {
            return try readFile(path)
        } catch {
            throw SupervisorError.file(
                path: path, problem: "cannot read \(whatFor): \(String(cString: strerror(error.errno)))",
                remedy: "name a file that is there and that you may read")
        }
    }
}
