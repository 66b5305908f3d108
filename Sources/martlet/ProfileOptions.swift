import ArgumentParser
import ClusterLayout
import Supervisor

/// Which cluster a command is about.
struct ProfileOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "The cluster's name, martlet where none is given; several live side by side.")
    var profile: String?

    var name: String { profile ?? "martlet" }
    var isGiven: Bool { profile != nil }

    var paths: ClusterPaths {
        get throws { try ClusterPaths(profile: name) }
    }
}
