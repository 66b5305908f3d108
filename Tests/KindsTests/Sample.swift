import Testing

@testable import Kinds
@testable import KubernetesModel

/// What tests of kinds begin with.
enum Sample {
    static func kind(_ apiVersion: String, _ kind: String) throws -> Kind {
        try #require(Catalogue.builtIn.kind(apiVersion: apiVersion, kind: kind))
    }

    static func deployment(_ container: JSON) -> JSON {
        [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web", "namespace": "default"],
            "spec": [
                "selector": ["matchLabels": ["app": "web"]],
                "template": ["metadata": ["labels": ["app": "web"]], "spec": ["containers": [container]]],
            ],
        ]
    }
}
