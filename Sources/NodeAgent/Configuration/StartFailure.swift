/// Why a container could not be started.
enum StartFailure: Error, Sendable, Equatable {
    /// `ErrImagePull`, `InvalidImageName`, `ErrImageNeverPull`
    case image(reason: String, message: String)
    /// `CreateContainerConfigError`, `CreateContainerError`: the container's configuration cannot be made.
    case configuration(reason: String, message: String)
    /// The program could not be executed: the run counts, with reason `StartError`.
    case program(String)
}
