import ArgumentParser
import ImageStore
import KubernetesModel

struct ImageList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the images of the store.", aliases: ["ls"])

    enum Format: String, ExpressibleByArgument, CaseIterable { case json, wide }

    @Option(name: .shortAndLong, help: "json or wide.")
    var output: Format?
    @Flag(name: .shortAndLong, help: "Print IDs only.")
    var quiet = false

    func run() async throws {
        let images = try await ImageCommand.store.list()
        if output == .json { return Console.print(JSON.array(images.map(Self.summary))) }
        if quiet { return images.forEach { Console.print($0.id) } }
        var rows = [["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]]
        if output == .wide { rows[0] += ["BASE", "DIGEST"] }
        for image in images {
            let name = try? Reference(parsing: image.reference)
            var row = [
                name?.familiarName ?? "<none>", name?.tag ?? "<none>",
                output == .wide ? image.id : String(image.id.dropFirst(7).prefix(12)), image.tagged ?? "-",
                Self.size(image.size),
            ]
            if output == .wide { row += [image.isOnHost ? "host" : "-", image.digest] }
            rows.append(row)
        }
        Console.table(rows)
    }

    static func summary(_ image: StoredImage) -> JSON {
        [
            "reference": .string(image.reference), "id": .string(image.id), "digest": .string(image.digest),
            "size": JSON(image.size), "tagged": image.tagged.map(JSON.string) ?? .null,
            "base": image.isOnHost ? "host" : .null,
        ]
    }

    /// In powers of 1000, as Docker shows it.
    private static func size(_ bytes: Int) -> String {
        var value = Double(bytes)
        for unit in ["B", "kB", "MB"] {
            if value < 1000 { return rounded(value) + unit }
            value /= 1000
        }
        return rounded(value) + "GB"
    }

    private static func rounded(_ value: Double) -> String {
        value < 10 && value != value.rounded() ? "\((value * 10).rounded() / 10)" : "\(Int(value.rounded()))"
    }
}
