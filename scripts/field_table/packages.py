"""Which Go packages the definitions come from, and what is not as their structs say."""

# Go package path -> (definition prefix, prefixes of the Python class names)
API = "io.k8s.api."
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
PACKAGES = {
    "k8s.io/api/admissionregistration/v1": (API + "admissionregistration.v1.", ["Admissionregistration"]),
    "k8s.io/api/apps/v1": (API + "apps.v1.", []),
    "k8s.io/api/authentication/v1": (API + "authentication.v1.", ["Authentication"]),
    "k8s.io/api/authorization/v1": (API + "authorization.v1.", []),
    "k8s.io/api/autoscaling/v1": (API + "autoscaling.v1.", []),
    "k8s.io/api/autoscaling/v2": (API + "autoscaling.v2.", []),
    "k8s.io/api/batch/v1": (API + "batch.v1.", []),
    "k8s.io/api/certificates/v1": (API + "certificates.v1.", []),
    "k8s.io/api/coordination/v1": (API + "coordination.v1.", []),
    "k8s.io/api/core/v1": (API + "core.v1.", ["Core"]),
    "k8s.io/api/discovery/v1": (API + "discovery.v1.", ["Discovery"]),
    "k8s.io/api/events/v1": (API + "events.v1.", ["Events"]),
    "k8s.io/api/flowcontrol/v1": (API + "flowcontrol.v1.", ["Flowcontrol"]),
    "k8s.io/api/networking/v1": (API + "networking.v1.", []),
    "k8s.io/api/node/v1": (API + "node.v1.", []),
    "k8s.io/api/policy/v1": (API + "policy.v1.", []),
    "k8s.io/api/rbac/v1": (API + "rbac.v1.", ["Rbac"]),
    "k8s.io/api/scheduling/v1": (API + "scheduling.v1.", []),
    "k8s.io/api/storage/v1": (API + "storage.v1.", ["Storage"]),
    "k8s.io/apimachinery/pkg/apis/meta/v1": (META, []),
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1": (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.", ["Apiextensions"]),
}

# Types that the API writes as something else than their Go struct.
SPECIAL = {
    ("meta", "Time"): "t", ("meta", "MicroTime"): "m", ("meta", "Duration"): "s", ("meta", "FieldsV1"): "f",
    ("resource", "Quantity"): "q", ("intstr", "IntOrString"): "x", ("runtime", "RawExtension"): "r",
    ("types", "UID"): "s", ("types", "NodeName"): "s", ("types", "NamespacedName"): "s",
    ("apiextensions", "JSON"): "j", ("apiextensions", "JSONSchemaPropsOrBool"): "j",
    ("apiextensions", "JSONSchemaPropsOrArray"): "j", ("apiextensions", "JSONSchemaPropsOrStringArray"): "j",
    ("meta", "Verbs"): "[s", ("time", "Duration"): "l",
}
BASIC = {"string": "s", "bool": "b", "int32": "i", "int64": "l", "int": "i", "float64": "d", "uint32": "i",
         "interface{}": "j", "any": "j"}

# kube-aggregator and metrics are in no Debian package: their few types by hand.
AGGREGATOR = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1."
METRICS = "io.k8s.metrics.pkg.apis.metrics.v1beta1."
BY_HAND = {AGGREGATOR: """
APIService: apiVersion s, kind s, metadata >ObjectMeta, spec >APIServiceSpec, status >APIServiceStatus
APIServiceCondition: lastTransitionTime t, message s, reason s, status! s, type! s
APIServiceList: apiVersion s, items! [>APIService, kind s, metadata >ListMeta
APIServiceSpec: caBundle y L=atomic, group s, groupPriorityMinimum! i, insecureSkipTLSVerify b, service >ServiceReference, version s, versionPriority! i
APIServiceStatus: conditions [>APIServiceCondition L=map:type P=merge:type
ServiceReference: name s, namespace s, port i
""", METRICS: """
ContainerMetrics: name! s, usage! {q
NodeMetrics: apiVersion s, kind s, metadata >ObjectMeta, timestamp! t, usage! {q, window! s
NodeMetricsList: apiVersion s, items! [>NodeMetrics, kind s, metadata >ListMeta
PodMetrics: apiVersion s, containers! [>ContainerMetrics L=atomic, kind s, metadata >ObjectMeta, timestamp! t, window! s
PodMetricsList: apiVersion s, items! [>PodMetrics, kind s, metadata >ListMeta
"""}
