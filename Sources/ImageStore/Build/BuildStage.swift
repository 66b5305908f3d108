import KubernetesModel

/// A stage of a build: the image so far.
struct BuildStage {
    let dockerfile: Dockerfile
    let options: BuildOptions
    let layout: Layout
    /// The tree that the layers make.
    private(set) var stack = LayerStack(layers: [])
    private(set) var configuration = ImageConfiguration()
    var globals: [String: String] = [:]
    /// `ARG`s declared in this stage.
    private var arguments: [String: String] = [:]
    private var diffIDs: [String] = []
    private var descriptors: [JSON] = []
    private var history: [JSON] = []
    private var hasOwnCommand = false

    init(_ dockerfile: Dockerfile, options: BuildOptions, layout: Layout) {
        self.dockerfile = dockerfile
        self.options = options
        self.layout = layout
    }

    /// Takes an image as the base.
    mutating func start(from image: StoredImage) throws(ImageError) {
        configuration = image.configuration
        if image.isOnHost { stack.layers = ["/"] }
        for layer in image.layers {
            stack.layers.append(try layout.unpacked(layer))
            diffIDs.append(layer.diffID)
        }
        descriptors = image.manifest["layers"].items
        history = image.configurationDocument["history"].items
    }

    /// A new stage that has this one as its base.
    func next(_ dockerfile: Dockerfile, options: BuildOptions, layout: Layout) -> BuildStage {
        var stage = self
        stage.arguments = [:]
        stage.hasOwnCommand = false
        return stage
    }

    /// Expands with this stage's variables; `ENV` goes before `ARG`.
    var words: DockerfileWords {
        let (configuration, arguments) = (configuration, arguments)
        return DockerfileWords(escape: dockerfile.escape) { configuration.variable($0) ?? arguments[$0] }
    }

    /// Carries out one instruction; returns what the user should know of it.
    mutating func run(_ instruction: Dockerfile.Instruction, source: CopySource) throws(ImageError) -> String? {
        let text = instruction.arguments
        var note: String?
        var isLayer = false
        switch instruction.keyword {
        case "ARG":
            for (name, value) in try Self.declarations(instruction, words) {
                arguments[name] = options.arguments[name] ?? value ?? globals[name]
            }
        case "COPY":
            let copy = try CopyInstruction(instruction, words: words)
            let workingDirectory = configuration.workingDirectory
            try addLayer(try copy.entries(from: source, into: stack, workingDirectory: workingDirectory))
            isLayer = true
        case "WORKDIR":
            let path = try words.expand(text)
            configuration.workingDirectory = Files.clean(
                path.hasPrefix("/") ? path : configuration.workingDirectory + "/" + path)
            isLayer = try makeWorkingDirectory()
        case "ENV":
            for (name, value) in try words.pairs(text) { configuration.setVariable(name, to: value) }
        case "LABEL":
            for (name, value) in try words.pairs(text) { try setLabel(name, to: value) }
        case "MAINTAINER":
            note = "MAINTAINER is deprecated and left out: use LABEL org.opencontainers.image.authors"
        case "USER":
            configuration.user = try words.expand(text)
        case "EXPOSE":
            for port in try Self.ports(try words.expand(text)) where !configuration.exposedPorts.contains(port) {
                configuration.exposedPorts.append(port)
            }
        case "VOLUME":
            let volumes = if let list = DockerfileWords.jsonForm(text) { list } else { try expandedWords(text) }
            for volume in volumes where !configuration.volumes.contains(volume) {
                configuration.volumes.append(volume)
            }
            note = "VOLUME is recorded in the image; pods mount what their spec says"
        case "STOPSIGNAL":
            configuration.stopSignal = try words.expand(text)
        case "SHELL":
            guard let shell = DockerfileWords.jsonForm(text), !shell.isEmpty else {
                throw .usage("takes the JSON form: SHELL [\"/bin/sh\", \"-c\"]")
            }
            configuration.shell = shell
        case "CMD":
            configuration.command = program(text)
            hasOwnCommand = true
        case "ENTRYPOINT":
            configuration.entrypoint = program(text)
            // The base's arguments were meant for the base's program.
            if !hasOwnCommand { configuration.command = nil }
        case "HEALTHCHECK":
            note = "HEALTHCHECK is ignored, as in Kubernetes: use the container's probes"
        case "ONBUILD":
            note = "ONBUILD is ignored: OCI images have no such triggers"
        case "RUN":
            throw .usage(
                "running commands in a build is not supported yet: do it before the build and COPY the result, "
                    + "or take the program from this machine with FROM host")
        case "ADD":
            throw .usage("is not supported: use COPY for files; unpack archives and fetch URLs before the build")
        default:
            throw .usage("is not supported")
        }
        var entry: JSON = ["created": "1970-01-01T00:00:00Z", "created_by": .string(instruction.summary)]
        if !isLayer { entry["empty_layer"] = true }
        history.append(entry)
        return note
    }

    /// Called after the last instruction.
    mutating func finish() {
        if configuration.variable("PATH") == nil {
            configuration.environment.insert(ImageConfiguration.defaultPath, at: 0)
        }
    }

    mutating func setLabel(_ name: String, to value: String) throws(ImageError) {
        guard name != ImageConfiguration.baseLabel else {
            throw .usage("the label \(name) is set by FROM and by nothing else")
        }
        configuration.labels[name] = value
    }

    /// Writes the configuration and the manifest.
    func store(in layout: Layout) throws(ImageError) -> (descriptor: JSON, id: String) {
        let document = configuration.document(diffIDs: diffIDs, history: history)
        let config = try layout.add(document, mediaType: "application/vnd.oci.image.config.v1+json")
        let mediaType = "application/vnd.oci.image.manifest.v1+json"
        let manifest: JSON = [
            "schemaVersion": 2, "mediaType": .string(mediaType), "config": config, "layers": .array(descriptors),
        ]
        return (try layout.add(manifest, mediaType: mediaType), config["digest"].string ?? "")
    }

    /// `NAME` or `NAME=default` words of an `ARG`.
    static func declarations(
        _ instruction: Dockerfile.Instruction, _ words: DockerfileWords
    ) throws(ImageError) -> [(name: String, value: String?)] {
        var result: [(name: String, value: String?)] = []
        for word in try words.split(instruction.arguments) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard !parts[0].isEmpty else { throw .usage("\"\(word)\" has no name before the =") }
            result.append((String(parts[0]), parts.count > 1 ? try words.expand(parts[1]) : nil))
        }
        return result
    }

    private func expandedWords(_ text: String) throws(ImageError) -> [String] {
        var result: [String] = []
        for word in try words.split(text) { result.append(try words.expand(word)) }
        return result
    }

    /// The JSON form as it is, the other form through the shell.
    private func program(_ text: String) -> [String] {
        DockerfileWords.jsonForm(text) ?? (configuration.shell ?? ["/bin/sh", "-c"]) + [text]
    }

    /// `80`, `80/udp`, `8000-8002/tcp` → `80/tcp`, …
    private static func ports(_ text: String) throws(ImageError) -> [String] {
        var ports: [String] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            let parts = word.split(separator: "/", omittingEmptySubsequences: false)
            let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
            let transport = parts.count > 1 ? parts[1].lowercased() : "tcp"
            guard parts.count <= 2, ends.count <= 2, ["tcp", "udp", "sctp"].contains(transport),
                ends.allSatisfy({ (1...65535).contains($0) }), ends[0] <= ends[ends.count - 1]
            else { throw .usage("\"\(word)\" is no port: 1 to 65535 or a range, with /tcp, /udp or /sctp") }
            ports += (ends[0]...ends[ends.count - 1]).map { "\($0)/\(transport)" }
        }
        return ports
    }

    private mutating func makeWorkingDirectory() throws(ImageError) -> Bool {
        let path = configuration.workingDirectory
        if let node = try stack.find(path) {
            guard node.isDirectory else { throw .usage("\(path) is there already and is no directory") }
            return false
        }
        var plan = LayerPlan(stack: stack, user: 0, group: 0)
        try plan.makeDirectory(path, mode: 0o755)
        try addLayer(plan.entries)
        return true
    }

    private mutating func addLayer(_ entries: [String: LayerEntry]) throws(ImageError) {
        let (layer, (digest, size)) = try LayerWriter(layout: layout).write(entries)
        stack.layers.append(try layout.unpacked(layer))
        diffIDs.append(layer.diffID)
        descriptors.append([
            "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": .string(digest), "size": JSON(size),
        ])
    }
}
