import Glibc

/// What can go wrong with images, with the remedy in the text.
public enum ImageError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Not an image name; the kubelet's reason for it is `InvalidImageName`.
    case invalidReference(name: String, problem: String)
    /// No such image in the store; the kubelet's reason is `ErrImageNeverPull` or `ErrImagePull`.
    case notFound(String)
    /// The image has nothing that could be run.
    case notRunnable(String)
    /// `host` and `scratch` are built in: they can be neither tagged over nor removed.
    case reserved(String)
    /// An ID's start that several images share.
    case ambiguous(String)
    /// A file of the store is not what it should be.
    case damaged(path: String, problem: String)
    /// A system call failed.
    case system(String, path: String, errno: Int32)
    /// A Dockerfile that cannot be built; `line` counts from 1.
    case build(file: String, line: Int, instruction: String, problem: String)
    /// The build's context or options are wrong.
    case usage(String)

    public var description: String {
        switch self {
        case .invalidReference(let name, let problem): "couldn't parse image name \"\(name)\": \(problem)"
        case .notFound(let name):
            "image \"\(name)\" not found: build it with 'martlet image build -t \(name) FOLDER', "
                + "or see 'martlet image list'"
        case .notRunnable(let text), .usage(let text): text
        case .reserved(let name): "\"\(name)\" is a built-in image: it can be neither replaced nor removed"
        case .ambiguous(let id): "\"\(id)\" is the start of several images' IDs: give more of it"
        case .damaged(let path, let problem):
            "\(path): \(problem): the image store is damaged; remove the image and build it again"
        case .system(let operation, let path, let number):
            "\(path): cannot \(operation): \(String(cString: strerror(number)))"
        case .build(let file, let line, let instruction, let problem): "\(file):\(line): \(instruction): \(problem)"
        }
    }
}
