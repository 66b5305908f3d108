import KubernetesModel

/// A pod's own name in its network: `spec.hostname`, or the pod's name, which may be longer than a hostname.
func hostname(of pod: Object) -> String {
    if let name = pod.spec["hostname"].string, !name.isEmpty { return name }
    var name = String(pod.name.prefix(63))
    while let last = name.last, last == "-" || last == "." { name.removeLast() }
    return name
}

/// A pod's name with its domain, if it has a subdomain.
func fullName(of pod: Object, clusterDomain: String) -> String {
    guard let subdomain = pod.spec["subdomain"].string, !subdomain.isEmpty else { return hostname(of: pod) }
    return "\(hostname(of: pod)).\(subdomain).\(pod.namespace).svc.\(clusterDomain)"
}

/// What `hostname` says in a pod.
func systemHostname(of pod: Object, nodeName: String, clusterDomain: String) -> String {
    if pod.spec["hostNetwork"].bool == true { return nodeName }
    return pod.spec["setHostnameAsFQDN"].bool == true
        ? fullName(of: pod, clusterDomain: clusterDomain) : hostname(of: pod)
}
