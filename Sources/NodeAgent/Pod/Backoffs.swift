import Retrying

/// The kubelet's back-offs.
extension Backoff {
    /// Before a container is started again; one that ran for more than ten minutes starts with a clean record.
    static let crashLoop = Backoff(
        first: .seconds(10), max: .seconds(300), startsAtOnce: true, resetAfter: .seconds(600))
    /// Before an image is pulled again.
    static let imagePull = Backoff(first: .seconds(10), max: .seconds(300))
    /// Before the volumes of a pod or its sandbox are set up again: 0.5 s doubling to about 2 min.
    static let volumes = Backoff(first: .milliseconds(500), max: .seconds(122))
    /// Before a status is written again.
    static let status = Backoff(first: .milliseconds(50), max: .seconds(5))
    /// Before what the end of a pod takes is tried again.
    static let podRemoval = Backoff(first: .milliseconds(100), max: .seconds(10))
}
