import ArgumentParser
import Glibc
import ImageStore

struct ImageBuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Build an image from a Dockerfile.",
        discussion: """
            The bases are "host" (this machine's own root filesystem), "scratch" (nothing), earlier stages, and images \
            in the store. The image's digest goes to standard output, all else to standard error.
            """)

    @Option(
        name: [.customShort("t"), .customLong("tag")],
        help: ArgumentHelp("A name for the image.", valueName: "name[:tag]"))
    var names: [String] = []
    @Option(
        name: .shortAndLong, help: ArgumentHelp("The Dockerfile; CONTEXT/Dockerfile if not given.", valueName: "path"),
        completion: .file())
    var file: String?
    @Option(
        name: .customLong("build-arg"),
        help: ArgumentHelp("The value of an ARG; taken from the environment without =.", valueName: "name[=value]"))
    var arguments: [String] = []
    @Option(name: .customLong("label"), help: ArgumentHelp("A label of the image.", valueName: "name=value"))
    var labels: [String] = []
    @Option(help: ArgumentHelp("The stage to build; the last if not given.", valueName: "stage"))
    var target: String?
    @Flag(name: .shortAndLong, help: "Print the digest only.")
    var quiet = false
    @Argument(help: "The directory that COPY takes files from.", completion: .directory)
    var context: String

    func run() async throws {
        var options = BuildOptions(context: context)
        options.dockerfile = file
        options.names = names
        options.target = target
        for argument in arguments {
            let (name, value) = try split(argument, option: "--build-arg")
            options.arguments[name] = value ?? getenv(name).map { String(cString: $0) }
        }
        for label in labels {
            let (name, value) = try split(label, option: "--label")
            options.labels[name] = value ?? ""
        }
        let quiet = quiet
        let result = try await ImageCommand.store.build(options) { event in
            if !quiet { Self.show(event) }
        }
        if !quiet {
            for reference in result.references { Self.say("named \(reference)") }
        }
        Console.print(result.digest)
    }

    private func split(_ text: String, option: String) throws -> (name: String, value: String?) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard !parts[0].isEmpty else { throw ValidationError("\(option) \(text): there is no name before the =") }
        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : nil)
    }

    private static func show(_ event: BuildEvent) {
        switch event {
        case .step(let stage, let number, let count, let instruction):
            say("[\(stage.map { $0 + " " } ?? "")\(number)/\(count)] \(instruction)")
        case .note(let text): say("note: \(text)")
        }
    }

    private static func say(_ text: String) { Console.write(text + "\n", to: STDERR_FILENO) }
}
