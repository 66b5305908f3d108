/// This machine's architecture, as Go, OCI and Kubernetes name it.
public let machineArchitecture: String = {
    #if arch(x86_64)
        "amd64"
    #elseif arch(arm64)
        "arm64"
    #else
        #error("name this architecture as Go does")
    #endif
}()
