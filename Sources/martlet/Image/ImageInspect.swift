import ArgumentParser
import ImageStore
import KubernetesModel

struct ImageInspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show all of one or more images, as JSON.")

    @Argument(help: ArgumentHelp("A name, or the start of an ID.", valueName: "image"))
    var images: [String]

    func run() async throws {
        let store = ImageCommand.store
        var documents: [JSON] = []
        for name in images {
            let image = try await store.inspect(name)
            var document = ImageList.summary(image)
            document["manifest"] = image.manifest
            document["configuration"] = image.configurationDocument
            documents.append(document)
        }
        Console.print(JSON.array(documents))
    }
}
