import ArgumentParser
import Supervisor

struct KubeconfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubeconfig", abstract: "Print a kubeconfig for the cluster alone.")

    @OptionGroup var profile: ProfileOptions

    @Flag(help: "Print the path of the file instead.")
    var path = false

    @Flag(help: "Merge it into the user's own kubeconfig and make its context the current one.")
    var merge = false

    func run() async throws {
        let kubeconfig = ClusterKubeconfig(try profile.paths)
        let document = try kubeconfig.document()
        if merge { return try UserKubeconfig().merge(document) }
        Console.print(path ? kubeconfig.path : try document.yaml)
    }
}
