import APIClient
import KubernetesModel

/// Service account tokens for pods, by the TokenRequest API. Each is kept until a fifth of its life is left.
actor TokenSource {
    private struct Key: Hashable {
        let pod: String
        let audience: String
        let seconds: Int
    }

    private let client: any Client
    private var known: [Key: (token: String, renewal: Timestamp)] = [:]

    init(_ client: any Client) { self.client = client }

    func token(pod: Object, _ source: JSON) async throws -> (token: String, renewal: Timestamp) {
        let seconds = source["expirationSeconds"].int ?? 3600
        let audience = source["audience"].string ?? ""
        let key = Key(pod: pod.uid, audience: audience, seconds: seconds)
        let now = Timestamp.now
        if let found = known[key], now < found.renewal { return found }

        let account = Pod(pod).serviceAccountName
        var request = Object([
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": [
                "expirationSeconds": JSON(seconds),
                "boundObjectRef": [
                    "apiVersion": "v1", "kind": "Pod", "name": .string(pod.name), "uid": .string(pod.uid),
                ],
            ],
        ])
        if !audience.isEmpty { request["spec"]["audiences"] = [.string(audience)] }
        let answer = try await client.create(
            .serviceAccounts, request, namespace: pod.namespace, subresource: SubresourcePath(of: account, "token"))
        let expiry = answer.status["expirationTimestamp"].string.flatMap(Timestamp.init)
        let life = expiry.map { $0.since(now) } ?? Double(seconds)
        let token = (answer.status["token"].string ?? "", now.advanced(by: life * 0.8))
        known[key] = token
        return token
    }

    func forget(pod: String) { known = known.filter { $0.key.pod != pod } }
}
