import APIMachinery

extension Group {
    static let apps = Group("apps", "v1")
}
