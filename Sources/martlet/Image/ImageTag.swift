import ArgumentParser
import ImageStore

struct ImageTag: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag", abstract: "Give an image one more name.")

    @Argument(help: ArgumentHelp("A name, or the start of an ID.", valueName: "image"))
    var source: String
    @Argument(help: ArgumentHelp("The new name; one that is taken moves.", valueName: "name[:tag]"))
    var name: String

    func run() async throws {
        try await ImageCommand.store.tag(source, as: name)
    }
}
