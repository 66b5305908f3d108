/// One run of one container of a pod: a restart has the next number.
package struct ContainerID: Sendable, Hashable {
    package let podUID: String
    package let name: String
    package let restart: Int

    package init(podUID: String, name: String, restart: Int) {
        self.podUID = podUID
        self.name = name
        self.restart = restart
    }
}
