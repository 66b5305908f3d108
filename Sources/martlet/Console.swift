import Glibc
import KubernetesModel

/// What commands print.
enum Console {
    static func print(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    static func print(_ json: JSON) { print(json.indented) }

    static func error(_ text: String) { write("martlet: \(text)\n", to: STDERR_FILENO) }

    /// Progress goes to standard error, and only to a person: it is no part of a command's result.
    static func progress(_ text: String) {
        if isatty(STDERR_FILENO) == 1 { write("  \(text)\n", to: STDERR_FILENO) }
    }

    /// What whoever waits for a command should know, a program included.
    static func notice(_ text: String) { error(text) }

    /// Columns as wide as their widest cell, two spaces between them.
    static func table(_ rows: [[String]]) {
        guard let columns = rows.first?.count else { return }
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < columns - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            print(line)
        }
    }

    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
