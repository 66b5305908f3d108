import CLinux
import Glibc

/// Memory that this process has freed, and its allocator keeps.
///
/// glibc gives back what lies at the end of its heaps alone: after much was freed at once, one block that stays can keep
/// hundreds of megabytes.
public enum FreeMemory {
    /// Gives it back to the system; it blocks, some milliseconds for each hundred megabytes.
    public static func giveBack() { clinux_trim() }

    /// Gives it back from time to time, where there is more than there was; until the task is cancelled.
    public static func keepGivingBack() async {
        var last = resident
        while (try? await Task.sleep(for: .seconds(30))) != nil {
            // An idle process does no more than to read a line.
            guard resident > last + max(last / 4, 8 << 20) else { continue }
            await Blocking.run { giveBack() }
            last = resident
        }
    }

    /// What of this process is in memory, in bytes; 0 where it cannot be read.
    public static var resident: Int {
        guard let line = try? readFile("/proc/self/statm") else { return 0 }
        let pages = line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (pages ?? 0) * Int(getpagesize())
    }
}
