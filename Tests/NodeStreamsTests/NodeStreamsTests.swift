import Testing

@testable import NodeStreams
