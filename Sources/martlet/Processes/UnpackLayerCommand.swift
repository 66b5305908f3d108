import ArgumentParser
import ImageStore

/// Run by this program for each layer that it unpacks. Not asynchronous: it has to have one thread alone.
struct UnpackLayerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: LayerChild.name, abstract: "Unpack an image's layer from standard input.", shouldDisplay: false)

    @Argument(help: "The directory for the layer's files.")
    var directory: String

    func run() { LayerChild.main(directory: directory) }
}
