import APIMachinery
import KubernetesModel

extension Validation {
    mutating func secret(_ object: Object) {
        // The values are Base64; the limit is on what they stand for.
        if keyedData(object) > Self.maxDataBytes / 3 * 4 + 4 { dataTooLong("data") }
        let needed: [String]
        switch object["type"].string {
        case "kubernetes.io/service-account-token":
            let name = "kubernetes.io/service-account.name"
            if object.annotations[name]?.isEmpty ?? true { required("metadata.annotations[\(name)]") }
            needed = []
        case "kubernetes.io/dockerconfigjson": needed = [".dockerconfigjson"]
        case "kubernetes.io/dockercfg": needed = [".dockercfg"]
        case "kubernetes.io/ssh-auth": needed = ["ssh-privatekey"]
        case "kubernetes.io/tls": needed = ["tls.crt", "tls.key"]
        case "kubernetes.io/basic-auth":
            let hasEither = !object["data"]["username"].isNull || !object["data"]["password"].isNull
            needed = hasEither ? [] : ["username", "password"]
        default: needed = []
        }
        for key in needed where object["data"][key].isNull { required("data[\(key)]") }
    }
}
