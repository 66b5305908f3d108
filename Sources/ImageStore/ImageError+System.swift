import Linux

extension ImageError {
    /// A failure of the system, as the store tells it.
    init(_ error: SystemError) { self = .system(error.call, path: error.subject, errno: error.errno) }

    static func mapping<Result: ~Copyable>(_ body: () throws(SystemError) -> Result) throws(ImageError) -> Result {
        do {
            return try body()
        } catch {
            throw ImageError(error)
        }
    }
}
