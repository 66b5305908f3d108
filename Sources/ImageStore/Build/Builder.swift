import KubernetesModel
import Linux

/// The options of `martlet image build`.
public struct BuildOptions: Sendable {
    /// The directory that `COPY` takes files from.
    public var context: String
    /// `Dockerfile` in the context, unless given.
    public var dockerfile: String?
    /// The names that the image gets.
    public var names: [String] = []
    public var arguments: [String: String] = [:]
    public var labels: [String: String] = [:]
    /// The stage to build; the last, unless given.
    public var target: String?

    public init(context: String) { self.context = context }
}

public enum BuildEvent: Sendable {
    /// An instruction begins; `number` of `count` in its stage, which may have a name.
    case step(stage: String?, number: Int, count: Int, instruction: String)
    /// A warning.
    case note(String)
}

public struct BuildResult: Sendable {
    /// The manifest's digest.
    public let digest: String
    /// The configuration's.
    public let id: String
    /// The full references that the image has now.
    public let references: [String]
}

extension ImageStore {
    /// Builds an image from a Dockerfile. The same context, Dockerfile, base and options give the same digest.
    public func build(
        _ options: BuildOptions, progress: @escaping @Sendable (BuildEvent) -> Void
    ) throws(ImageError) -> BuildResult {
        var references: [Reference] = []
        for name in options.names { references.append(try Reference(taggable: name)) }
        var builder = try Builder(options, layout: layout, progress: progress)
        try layout.prepare()
        let result: BuildResult
        do {
            // Until the image has its name, nothing else protects its parts from garbage collection.
            let lock = try ImageError.mapping { () throws(SystemError) in
                try FileLock(root + "/use.lock", .shared)
            }
            let manifest = try builder.build()
            try layout.updateIndex { index throws(ImageError) in
                if references.isEmpty { index.add(manifest.descriptor) }
                for reference in references { index.set(reference, to: manifest.descriptor) }
            }
            result = BuildResult(
                digest: manifest.descriptor["digest"].string ?? "", id: manifest.id,
                references: references.map(\.description))
            _ = consume lock
        }
        try layout.collectGarbage()
        return result
    }
}

/// One build: its Dockerfile's stages, each built when it is first needed.
struct Builder {
    let dockerfile: Dockerfile
    let layout: Layout
    let context: CopySource
    let options: BuildOptions
    let progress: (BuildEvent) -> Void
    /// `ARG`s before the first `FROM`, and the platform's.
    private var globals: [String: String] = [:]
    private var finished: [Int: BuildStage] = [:]

    init(_ options: BuildOptions, layout: Layout, progress: @escaping (BuildEvent) -> Void) throws(ImageError) {
        let directory = options.context
        guard let status = try Files.status(directory + "/."), status.st_mode & 0o170000 == 0o040000 else {
            throw .usage(
                "\(directory): there is no such directory; the build's context is a directory with a Dockerfile")
        }
        let file = options.dockerfile ?? directory + "/Dockerfile"
        guard Files.exists(file) else {
            throw .usage("\(file): there is no such Dockerfile; name another with -f FILE")
        }
        dockerfile = try Dockerfile(parsing: String(decoding: try Files.read(file), as: UTF8.self), file: file)
        var ignore: DockerIgnore?
        for candidate in [file + ".dockerignore", directory + "/.dockerignore"] where Files.exists(candidate) {
            ignore = DockerIgnore(String(decoding: try Files.read(candidate), as: UTF8.self))
            break
        }
        context = CopySource(
            name: "the context \(directory)", stack: LayerStack(layers: [directory]), ignore: ignore, keepsOwners: false
        )
        self.layout = layout
        self.options = options
        self.progress = progress
    }

    mutating func build() throws(ImageError) -> (descriptor: JSON, id: String) {
        let platform = "linux/" + machineArchitecture
        for prefix in ["TARGET", "BUILD"] {
            globals[prefix + "PLATFORM"] = platform
            globals[prefix + "OS"] = "linux"
            globals[prefix + "ARCH"] = machineArchitecture
        }
        var declared = Set(globals.keys)
        for instruction in dockerfile.globalArguments {
            try attempt(instruction) { () throws(ImageError) in
                let globals = globals
                let words = DockerfileWords(escape: dockerfile.escape) { globals[$0] }
                for (name, value) in try BuildStage.declarations(instruction, words) {
                    declared.insert(name)
                    self.globals[name] = options.arguments[name] ?? value ?? globals[name]
                }
            }
        }
        for stage in dockerfile.stages {
            for instruction in stage.instructions where instruction.keyword == "ARG" {
                declared.formUnion(
                    instruction.arguments.split(whereSeparator: \.isWhitespace).map {
                        String($0.prefix { $0 != "=" })
                    })
            }
        }
        let unused = options.arguments.keys.filter { !declared.contains($0) }.sorted()
        if !unused.isEmpty {
            progress(.note("build arguments that no ARG declares: \(unused.joined(separator: ", "))"))
        }

        var stage = try stage(try target(), neededBy: nil)
        for (name, value) in options.labels { try stage.setLabel(name, to: value) }
        return try stage.store(in: layout)
    }

    private func target() throws(ImageError) -> Int {
        guard let name = options.target else { return dockerfile.stages.count - 1 }
        if let index = dockerfile.stages.lastIndex(where: { $0.name == name.lowercased() }) { return index }
        if let index = Int(name), dockerfile.stages.indices.contains(index) { return index }
        let names = dockerfile.stages.compactMap(\.name)
        throw .usage(
            "\(dockerfile.file): there is no stage \"\(name)\"; "
                + (names.isEmpty ? "none has a name" : "there are \(names.joined(separator: ", "))"))
    }

    /// The finished stage of that number.
    private mutating func stage(_ number: Int, neededBy user: Dockerfile.Instruction?) throws(ImageError) -> BuildStage
    {
        if let stage = finished[number] { return stage }
        let plan = dockerfile.stages[number]
        var stage = try attempt(plan.from) { () throws(ImageError) in try begin(plan, number: number) }
        stage.globals = globals
        let count = plan.instructions.count + 1
        progress(.step(stage: plan.name, number: 1, count: count, instruction: plan.from.summary))
        for (index, instruction) in plan.instructions.enumerated() {
            progress(.step(stage: plan.name, number: index + 2, count: count, instruction: instruction.summary))
            try attempt(instruction) { () throws(ImageError) in
                var source = context
                if instruction.keyword == "COPY",
                    let from = instruction.flags.first(where: { $0.name == "from" })?.value
                {
                    source = try copySource(try stage.words.expand(from), before: number, instruction)
                }
                if let note = try stage.run(instruction, source: source) {
                    progress(.note("\(dockerfile.file):\(instruction.line): \(note)"))
                }
            }
        }
        stage.finish()
        finished[number] = stage
        return stage
    }

    /// A stage with its base and nothing done yet.
    private mutating func begin(_ plan: Dockerfile.Stage, number: Int) throws(ImageError) -> BuildStage {
        for flag in plan.from.flags {
            let platform = try expandGlobal(flag.value)
            guard flag.name == "platform", platform == "linux/" + machineArchitecture else {
                throw .usage("--\(flag.name)=\(flag.value): only this machine's platform can be built")
            }
        }
        let written = plan.from.arguments.split(whereSeparator: \.isWhitespace)[0]
        let base = try expandGlobal(written)
        guard !base.isEmpty else {
            throw .usage("\"\(written)\" is empty: give the ARG a default before FROM, or use --build-arg")
        }
        if let earlier = dockerfile.stages[..<number].lastIndex(where: { $0.name == base.lowercased() }) {
            return try stage(earlier, neededBy: plan.from).next(dockerfile, options: options, layout: layout)
        }
        var result = BuildStage(dockerfile, options: options, layout: layout)
        let reference = try Reference(parsing: base)
        if !reference.isScratch { try result.start(from: try imageForBuild(reference)) }
        return result
    }

    private func expandGlobal(_ text: some StringProtocol) throws(ImageError) -> String {
        try DockerfileWords(escape: dockerfile.escape) { globals[$0] }.expand(text)
    }

    private func imageForBuild(_ reference: Reference) throws(ImageError) -> StoredImage {
        if reference.isHost { return try layout.image(.null) }
        guard let descriptor = try layout.index().find(reference) else { throw .notFound(reference.familiar) }
        return try layout.image(descriptor)
    }

    /// Where `COPY --from` takes files from: an earlier stage by name or number, or an image.
    private mutating func copySource(
        _ name: String, before number: Int, _ instruction: Dockerfile.Instruction
    ) throws(ImageError) -> CopySource {
        var found = dockerfile.stages[..<number].lastIndex { $0.name == name.lowercased() }
        if found == nil, let index = Int(name) {
            guard (0..<number).contains(index) else {
                throw .usage("--from=\(name): there is no earlier stage of that number")
            }
            found = index
        }
        if let found {
            let stack = try stage(found, neededBy: instruction).stack
            return CopySource(name: "stage \(name)", stack: stack, ignore: nil, keepsOwners: true)
        }
        var image = BuildStage(dockerfile, options: options, layout: layout)
        try image.start(from: try imageForBuild(try Reference(parsing: name)))
        return CopySource(name: "image \(name)", stack: image.stack, ignore: nil, keepsOwners: true)
    }

    /// Gives an error the place in the Dockerfile, if it has none yet.
    private func attempt<Result>(
        _ instruction: Dockerfile.Instruction, _ body: () throws(ImageError) -> Result
    ) throws(ImageError) -> Result {
        do throws(ImageError) {
            return try body()
        } catch {
            if case .build = error { throw error }
            throw dockerfile.failure(instruction, error.description)
        }
    }
}
