import ArgumentParser
import ControlPlane
import NodeAgent
import Supervisor

@main
struct Martlet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet", abstract: "A Kubernetes cluster on one machine, as plain processes.")
}
