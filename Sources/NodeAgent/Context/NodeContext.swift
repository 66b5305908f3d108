import APIClient
import ImageStore
import KubernetesModel
import Logging
import PodRuntime

/// What all pod workers of a node share.
struct NodeContext: Sendable {
    let configuration: NodeAgentConfiguration
    let client: any Client
    let runtime: any Runtime
    let images: any ImageSource
    let events: EventRecorder
    let references: ReferenceCache
    let services: Informer
    let addresses: AddressPool
    let tokens: TokenSource
    /// Times how long a pod's status is held back.
    let clock: any Clock<Duration>
    let logger: Logger
}

/// Where images come from.
protocol ImageSource: Sendable {
    func resolve(_ reference: String) async throws(ImageError) -> ResolvedImage
}

extension ImageStore: ImageSource {}
