import Glibc

/// The executables that were built with the tests, beside the tests' own bundle.
public enum Products {
    /// - Returns: the path of `name`; where it is not built, one that names what is missing.
    public static func path(_ name: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        // `swift test` may run the bundle with a program of the toolchain: then the bundle is an argument.
        let beside: [String] = ([own] + CommandLine.arguments).compactMap { candidate in
            candidate.lastIndex(of: "/").map { "\(candidate[..<$0])/\(name)" }
        }
        return beside.first(where: { access($0, X_OK) == 0 }) ?? ".build/debug/\(name)"
    }
}
