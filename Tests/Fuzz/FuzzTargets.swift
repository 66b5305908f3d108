extension FuzzTarget {
    static let all: [FuzzTarget] = [
        .customResources, .dns, .html, .imageNames, .json, .layers, .nodeStreams, .objects, .patches, .protobuf,
        .quantities,
        .selectors, .spdy,
        .texts, .webSocket, .yaml,
    ]
}
