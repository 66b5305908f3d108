import ArgumentParser
import ClusterLayout
import Supervisor

/// Which cluster a command is about.
struct ProfileOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "The cluster's name; several live side by side.")
    var profile = "martlet"

    var paths: ClusterPaths {
        get throws { try ClusterPaths(profile: profile) }
    }
}
