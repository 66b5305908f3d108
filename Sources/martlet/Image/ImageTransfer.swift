import ArgumentParser
import ImageStore

/// What other tools do with images and this version does not: whoever types it learns what there is instead.
protocol MissingImageCommand: AsyncParsableCommand {
    static var name: String { get }
    var arguments: [String] { get }
}

extension MissingImageCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: name, abstract: "Not there yet.", shouldDisplay: false)
    }

    func run() async throws {
        throw ImageError.usage(
            "image \(Self.name): this version of Martlet exchanges no images with registries or archives. Build what "
                + "you need with 'martlet image build -t NAME DIRECTORY' (FROM host has this machine's own programs), "
                + "or use 'image: host' as it is; see docs/images.md")
    }
}

struct ImagePull: MissingImageCommand {
    static let name = "pull"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct ImagePush: MissingImageCommand {
    static let name = "push"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct ImageLoad: MissingImageCommand {
    static let name = "load"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}

struct ImageSave: MissingImageCommand {
    static let name = "save"
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
}
