import APIMachinery
import KubernetesModel

extension Group {
    static let admissionRegistration = Group("admissionregistration.k8s.io", "v1")
}

extension Kind {
    static let mutatingWebhookConfiguration = Kind(
        Group.admissionRegistration.row(
            "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", namespaced: false, isExtension: true),
        defaults: { configuration in
            webhookDefaults(&configuration)
            configuration.json.changeEach("webhooks") { $0.fill("reinvocationPolicy", "Never") }
        },
        columns: webhookColumns, strategy: .counting, isReconciled: false)

    static let validatingWebhookConfiguration = Kind(
        Group.admissionRegistration.row(
            "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", namespaced: false,
            isExtension: true),
        defaults: webhookDefaults, columns: webhookColumns, strategy: .counting, isReconciled: false)

    @Sendable private static func webhookDefaults(_ configuration: inout Object) {
        configuration.json.changeEach("webhooks") { webhook in
            webhook.fill("failurePolicy", "Fail")
            webhook.fill("matchPolicy", "Equivalent")
            webhook.fill("namespaceSelector", [:])
            webhook.fill("objectSelector", [:])
            webhook.fill("timeoutSeconds", 10)
            webhook["clientConfig"].change("service") { $0.fill(zero: "port", 443) }
            webhook.changeEach("rules") { $0.fill("scope", "*") }
        }
    }

    private static let webhookColumns = Table.Columns([.name, .integer("Webhooks"), .age]) { object, now in
        [.string(object.name), Table.count(object["webhooks"]), object.age(now)]
    }
}
