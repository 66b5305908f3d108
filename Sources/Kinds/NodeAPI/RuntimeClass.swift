import APIMachinery
import KubernetesModel

extension Kind {
    static let runtimeClass = Kind(
        Group("node.k8s.io", "v1").row("runtimeclasses", "RuntimeClass", namespaced: false),
        validate: { validation, object in
            let handler = object["handler"].string ?? ""
            validation.invalid("handler", .string(handler), each: Names.label(handler))
        },
        columns: Table.Columns([.name, "Handler", .age]) { object, now in
            [.string(object.name), object["handler"], object.age(now)]
        })
}
