import APIMachinery
import KubernetesModel

extension Kind {
    static let podTemplate = Kind(
        Group.core.row("podtemplates", "PodTemplate"),
        defaults: { $0.json.change("template", PodDefaults.template) },
        validate: { $0.podTemplate($1["template"], "template") },
        columns: Table.Columns([.name, "Containers", "Images", "Pod Labels"]) { object, _ in
            [.string(object.name)] + Table.containers(object["template"])
                + [Table.selector(["matchLabels": object["template"]["metadata"]["labels"]])]
        })
}
