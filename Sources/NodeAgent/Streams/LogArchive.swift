import CZlib
import Glibc
import KubernetesModel
import Linux

/// A rotated part of a run's log (`0.log.20060102-150405.000000000`).
struct RotatedLog: Sendable, Equatable {
    /// Without the suffix that compression gives it; later parts have greater ones.
    let name: String
    let path: String
    let isCompressed: Bool

    /// The name that a part of a log gets at some moment.
    static func name(of log: String, putAwayAt moment: Timestamp) -> String {
        let time = moment.nano.filter { $0.isNumber || $0 == "T" || $0 == "." }.map { $0 == "T" ? "-" : $0 }
        return "\(log[(log.lastIndex(of: "/").map(log.index(after:)) ?? log.startIndex)...]).\(String(time))"
    }

    /// The parts that exist, the oldest first. It blocks for a listing of the directory.
    static func parts(of log: String) -> [RotatedLog] {
        guard let slash = log.lastIndex(of: "/") else { return [] }
        let directory = log[..<slash]
        let prefix = log[log.index(after: slash)...] + "."
        return ((try? listDirectory(String(directory))) ?? []).filter {
            $0.hasPrefix(prefix) && !$0.hasSuffix(LogArchive.unfinished)
        }
        .map { file in
            let isCompressed = file.hasSuffix(".gz")
            return RotatedLog(
                name: isCompressed ? String(file.dropLast(3)) : file, path: "\(directory)/\(file)",
                isCompressed: isCompressed)
        }
        // For a moment there are both forms of one part: the original comes first.
        .sorted { ($0.name, $0.path) < ($1.name, $1.path) }
    }
}

/// Compresses the rotated parts of logs but for each one's latest, as the kubelet does.
struct LogArchive: Sendable {
    /// `<node>/log/pods`
    let directory: String

    static let unfinished = ".tmp"

    /// Looks every ten seconds, as the kubelet does, until cancelled.
    func run() async {
        while (try? await Task.sleep(for: .seconds(10))) != nil { await Blocking.run { compressAll() } }
    }

    /// It blocks, a third of a second for each part of 10 MiB.
    func compressAll() {
        for pod in (try? listDirectory(directory)) ?? [] {
            for container in (try? listDirectory("\(directory)/\(pod)")) ?? [] {
                let place = "\(directory)/\(pod)/\(container)"
                let names = (try? listDirectory(place)) ?? []
                for name in names where name.hasSuffix(Self.unfinished) { unlink("\(place)/\(name)") }
                for name in names where name.hasSuffix(".log") {
                    let parts = RotatedLog.parts(of: "\(place)/\(name)")
                    for part in parts.dropLast() where !part.isCompressed { Self.compress(part.path) }
                }
            }
        }
    }

    private static func compress(_ part: String) {
        let unfinished = "\(part).gz\(unfinished)"
        guard copy(part, to: unfinished) else {
            unlink(unfinished)
            return
        }
        rename(unfinished, "\(part).gz")
        // Where it is gone already, the init has found it to be one too many; so is its other form.
        if unlink(part) != 0 { unlink("\(part).gz") }
    }

    private static func copy(_ part: String, to path: String) -> Bool {
        guard let source = try? Descriptor.open(part, O_RDONLY),
            let target = try? Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o640),
            let file = target.withRawValue({ gzdopen($0, "wb") })
        else { return false }
        // The compressed file's from now on.
        _ = target.release()
        var buffer = [UInt8](repeating: 0, count: 65536)
        var count = 0
        repeat {
            count = source.withRawValue { read($0, &buffer, 65536) }
        } while count > 0 && gzwrite(file, &buffer, UInt32(count)) == Int32(count)
        return gzclose(file) == Z_OK && count == 0
    }
}
