import Linux

extension ImageError {
    /// Does what the system may refuse.
    ///
    /// - Parameter path: the file that it is about, where the call itself does not know.
    static func mapping<Result: ~Copyable>(
        path: String? = nil, _ body: () throws(SystemError) -> Result
    ) throws(ImageError) -> Result {
        do {
            return try body()
        } catch {
            throw .system(error.call, path: path ?? error.subject, errno: error.errno)
        }
    }
}
