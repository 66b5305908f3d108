import ClusterLayout
import Glibc
import KubernetesModel
import Supervisor

/// Node shapes given on the command line: files, or names of those that came with this program.
enum NodeShapeFile {
    static func read(_ given: String) throws -> NodeShape {
        let path = isName(given) && access(given, F_OK) != 0 ? try Programs().shape(named: given) ?? given : given
        let text = try TextFile.read(path, whatFor: "the node shape")
        do {
            return try NodeShape(yaml: text, file: path)
        } catch {
            throw SupervisorError.usage("\(error); correct that file, nothing was started")
        }
    }

    private static func isName(_ text: String) -> Bool { !text.contains("/") && !text.contains(".") }
}
