import CArchive
import Glibc
import KubernetesModel
import Linux

/// Unpacks a layer in a process of its own, which has nothing but the layer: a fault in a parser is then no more than a
/// layer's.
///
/// The child reads the blob from its standard input, has the layer's directory as its root, and writes what came of it
/// to its standard output, as JSON.
public struct LayerChild {
    /// The program, which calls `LayerChild.main` as its subcommand `name`.
    let program: String

    public static let name = "unpack-layer"
    /// Of what a child reports; each opaque directory is in it.
    private static let maxReportSize = 64 << 20

    func run(_ blob: borrowing Descriptor, archive: String, into directory: String) throws(ImageError)
        -> LayerUnpacker.Outcome
    {
        let (pid, report) = try ImageError.mapping(path: program) { () throws(SystemError) in
            try start(blob, directory: directory)
        }
        let status = Self.wait(pid)
        guard let json = report.flatMap({ try? JSON(decoding: $0) }), status == ExitStatus(code: 0, signal: 0) else {
            throw .damaged(path: archive, problem: "unpacking it failed: the process for it \(status)")
        }
        if let error = ImageError(report: json["error"], archive: archive) { throw error }
        return LayerUnpacker.Outcome(diffID: json["diffID"].string ?? "", opaque: json["opaque"].strings)
    }

    /// Starts the child and reads its report; nil for one that is too long.
    private func start(_ blob: borrowing Descriptor, directory: String) throws(SystemError) -> (pid_t, [UInt8]?) {
        let (reader, writer) = try makePipe()
        let pid = try Spawn(
            [program, Self.name, directory], environment: [],
            descriptors: [(own: SharedDescriptor(try blob.duplicate()), child: 0), (own: writer, child: 1)]
        ).start()
        writer.close()
        var report: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try reader.withRawValue { read($0, &buffer, buffer.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return (pid, report) }
            report += buffer[..<count]
            guard report.count <= Self.maxReportSize else {
                kill(pid, SIGKILL)
                return (pid, nil)
            }
        }
    }

    private static func wait(_ pid: pid_t) -> ExitStatus {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            if errno != EINTR { return ExitStatus(code: -1, signal: 0) }
        }
        // WEXITSTATUS and WTERMSIG, macros that Swift cannot see.
        return ExitStatus(code: status >> 8 & 0xff, signal: status & 0x7f)
    }
}

// MARK: - In the child

extension LayerChild {
    /// Unpacks standard input into the directory, and ends the process.
    public static func main(directory: String) -> Never {
        let report: JSON
        do throws(ImageError) {
            let outcome = try unpack(into: directory)
            report = ["diffID": .string(outcome.diffID), "opaque": JSON(outcome.opaque)]
        } catch {
            report = ["error": error.report]
        }
        let bytes = report.encoded()
        do {
            try Descriptor(owning: STDOUT_FILENO).write(bytes)
            exit(0)
        } catch {
            exit(1)
        }
    }

    private static func unpack(into directory: String) throws(ImageError) -> LayerUnpacker.Outcome {
        let limits = LayerUnpacker.Limits()
        // Loaded now: within there is nothing to load it from but the layer.
        if let problem = carchive_load_error() { throw .usage(String(cString: problem)) }
        let enclosure = Enclosure(
            directory: directory, capabilities: Enclosure.filesOfAnyOwner,
            memory: 2 << 30, fileSize: limits.bytes, time: 1800)
        let top = try ImageError.mapping { () throws(SystemError) in
            try enclosure.enter()
            return try Descriptor.open(".", O_RDONLY | O_DIRECTORY)
        }
        var unpacker = LayerUnpacker(archive: "layer", into: top, limits: limits)
        return try unpacker.run(Descriptor(owning: STDIN_FILENO))
    }
}

extension ImageError {
    fileprivate var report: JSON {
        switch self {
        case .system(let operation, let path, let number):
            ["system": .string(operation), "path": .string(path), "errno": JSON(Int(number))]
        case .damaged(_, let problem): ["damaged": .string(problem)]
        default: ["usage": .string(description)]
        }
    }

    /// - Parameter archive: the name of the child's blob, which it does not know.
    fileprivate init?(report: JSON, archive: String) {
        if let operation = report["system"].string {
            let path = report["path"].string ?? ""
            self = .system(
                operation, path: path.hasPrefix("layer: ") ? "\(archive)\(path.dropFirst(5))" : path,
                errno: Int32(truncatingIfNeeded: report["errno"].int ?? 0))
        } else if let problem = report["damaged"].string {
            self = .damaged(path: archive, problem: problem)
        } else if let text = report["usage"].string {
            self = .usage(text)
        } else {
            return nil
        }
    }
}
