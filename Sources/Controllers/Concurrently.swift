/// Does something for each element, all at once; throws the first failure when all have ended.
func concurrently<Elements: Sequence & Sendable>(
    _ elements: Elements, _ body: @escaping @Sendable (Elements.Element) async throws -> Void
) async throws where Elements.Element: Sendable {
    let failure = await withTaskGroup(of: (any Error)?.self) { group in
        for element in elements {
            group.addTask {
                do {
                    try await body(element)
                    return nil
                } catch {
                    return error
                }
            }
        }
        var first: (any Error)?
        for await failure in group { first = first ?? failure }
        return first
    }
    if let failure { throw failure }
}
