import Store

/// The plug-ins of every cluster.
enum AdmissionPlugins {
    /// In upstream's default order: each sees what those before it have changed.
    static func all(_ store: any Store) -> [any AdmissionPlugin] {
        [
            NamespaceLifecycleAdmission(store: store),
            ServiceAccountAdmission(store: store),
            PriorityAdmission(store: store),
            DefaultTolerationSecondsAdmission(),
            DefaultStorageClassAdmission(store: store),
        ]
    }
}
