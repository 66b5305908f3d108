import Glibc

extension ImageStore {
    /// The directory of a user's images, one for all profiles: `<state parent>/images` (docs/architecture.md).
    public static func defaultRoot() -> String {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        if let parent = variable("MARTLET_STATE_HOME") { return parent + "/images" }
        if let parent = variable("XDG_STATE_HOME") { return parent + "/martlet/images" }
        if geteuid() == 0 { return "/var/lib/martlet/images" }
        return (variable("HOME") ?? "/tmp") + "/.local/state/martlet/images"
    }
}
