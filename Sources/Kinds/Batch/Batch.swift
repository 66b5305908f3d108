extension Group {
    static let batch = Group("batch", "v1")
}
