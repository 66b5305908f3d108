import ArgumentParser
import ImageStore

struct ImageRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove names, and the images that have no other.", aliases: ["rm"])

    @Argument(help: ArgumentHelp("A name, or the start of an ID for all of the image's names.", valueName: "image"))
    var images: [String]

    func run() async throws {
        let store = ImageCommand.store
        var hasFailed = false
        for name in images {
            do {
                for reference in try await store.remove(name) { Console.print("removed \(reference)") }
            } catch {
                Console.error("\(error)")
                hasFailed = true
            }
        }
        if hasFailed { throw ExitCode.failure }
    }
}
