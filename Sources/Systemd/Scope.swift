import CSystemd
import Glibc

/// Groups of processes that systemd knows of, though it did not start them (systemd.scope(5)).
public enum Scope {
    /// Whether systemd runs this machine, and this process may ask it for units.
    public static var isOffered: Bool {
        getuid() == 0 && access("/run/systemd/system", F_OK) == 0 && csystemd_available()
    }

    /// Asks the machine's manager for a scope in `system.slice` whose control group is the caller's to divide
    /// (`Delegate=yes`), and moves a process into it. The process is there a little later.
    ///
    /// Waits for the manager's answer, 5 s at most: not for the cooperative pool.
    ///
    /// - Returns: 0, or an `errno`: `EEXIST` where there is a unit of this name, also one that is about to end.
    public static func start(_ name: String, description: String, process: pid_t) -> Int32 {
        -csystemd_start_scope(name, description, UInt32(process))
    }
}
