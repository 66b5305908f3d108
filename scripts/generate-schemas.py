#!/usr/bin/env python3
"""Writes Sources/APIMachinery/Generated/SchemaText.swift: the facts of all built-in kinds' schemas.

Which kinds, fields and required fields Kubernetes 1.33 has is read from the PyPI package `kubernetes` 33.1.0; how
lists merge, formats, enumerations and defaults from the Go sources in Debian's golang-k8s-*-dev packages (sid; newer
ones do, for what 1.33 lacks is left out). Descriptions are our own, from scripts/descriptions.txt.

    scripts/generate-schemas.py [FOLDER]

FOLDER keeps the downloads (a temporary one unless given). It needs pip, apt-get, dpkg and the network.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
OUTPUT = HERE.parent / "Sources/APIMachinery/Generated/SchemaText.swift"
GO_PACKAGES = ["golang-k8s-api-dev", "golang-k8s-apimachinery-dev", "golang-k8s-apiextensions-apiserver-dev"]

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


def fetch(folder):
    """Downloads and unpacks what is not there yet; returns the roots of the Go and the Python sources."""
    folder = pathlib.Path(folder).resolve()
    go, python = folder / "go", folder / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder,
                        "kubernetes==33.1.0"], check=True)
        zipfile.ZipFile(next(folder.glob("kubernetes-33*.whl"))).extractall(python)
    if not go.exists():
        sources = folder / "sid.sources"
        sources.write_text("Types: deb\nURIs: http://deb.debian.org/debian\nSuites: sid\nComponents: main\n"
                           "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n")
        (folder / "lists/partial").mkdir(parents=True, exist_ok=True)
        options = ["-o", f"Dir::Etc::sourcelist={sources}", "-o", "Dir::Etc::sourceparts=/dev/null",
                   "-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}"]
        subprocess.run(["apt-get", *options, "-qq", "update"], check=True)
        subprocess.run(["apt-get", *options, "-qq", "download", *GO_PACKAGES], check=True, cwd=folder)
        for package in folder.glob("golang-*.deb"):
            subprocess.run(["dpkg", "-x", package, go], check=True)
    return go / "usr/share/gocode/src", python


class Field:
    def __init__(self, go_type, tags, comments):
        self.type, self.tags, self.comments = go_type, tags, comments

    def tag(self, name):
        found = re.search(rf'\b{name}:"([^"]*)"', self.tags)
        return found.group(1) if found else None

    def markers(self, name):
        return [c[len(name) + 2:] for c in self.comments if c.startswith(f"+{name}=")]


class Package:
    """The types of one Go package."""

    def __init__(self, path, folder):
        self.path = path
        self.structs, self.named, self.enums, self.type_comments, self.values = {}, {}, set(), {}, {}
        self.imports = {}
        for file in sorted(folder.glob("*.go")):
            if file.name.endswith("_test.go") or "generated" in file.name:
                continue
            self.read(file.read_text())

    def read(self, text):
        for alias, path in re.findall(r'^\s+(?:(\w+) )?"(k8s\.io/[^"]+|time)"$', text, re.M):
            self.imports[alias or path.split("/")[-1]] = path
        for name, value in re.findall(r'^\s+\w+\s+(\w+)\s*=\s*"([^"]*)"', text, re.M):
            self.values.setdefault(name, []).append(value)
        comments, current = [], None
        for line in text.splitlines():
            stripped = line.strip()
            if stripped.startswith("//"):
                comments.append(stripped[2:].strip())
                continue
            if current is None:
                if match := re.match(r"type (\w+) struct \{$", line):
                    current = self.structs[match.group(1)] = []
                    self.type_comments[match.group(1)] = comments
                elif match := re.match(r"type (\w+) struct ?\{\}$", line):
                    self.structs[match.group(1)], self.type_comments[match.group(1)] = [], comments
                elif match := re.match(r"type (\w+) (?!struct)(?!interface)(\S+)$", line):
                    self.named[match.group(1)] = match.group(2)
                    if "+enum" in comments:
                        self.enums.add(match.group(1))
                if stripped:
                    comments = []
            elif line == "}":
                current, comments = None, []
            elif match := re.match(r"(?:(\w+)\s+)?(\S+)\s+`(.*)`", stripped):
                current.append((match.group(1), Field(match.group(2), match.group(3), comments)))
                comments = []
            elif not stripped:
                pass
            else:
                comments = []


class Generator:
    def __init__(self, go, python):
        self.packages = {path: Package(path, go / path) for path in PACKAGES}
        self.models = self.python_models(python / "kubernetes/client/models")
        self.definitions = {}

    @staticmethod
    def python_models(folder):
        """Class name -> (JSON names, required JSON names), as Kubernetes 1.33 has them."""
        models = {}
        for file in folder.glob("*.py"):
            text = file.read_text()
            found = re.search(r"^class (\w+)\(object\)", text, re.M)
            if not found:
                continue
            names = dict(re.findall(r"'(\w+)': '([^']+)'", text[text.index("attribute_map = {"):].split("}")[0]))
            required = re.findall(r"for `(\w+)`, must not be `None`", text)
            models[found.group(1)] = (set(names.values()), {names[name] for name in required})
        return models

    def model(self, path, name):
        version = path.split("/")[-1].upper()
        for prefix in PACKAGES[path][1] + [""]:
            if found := self.models.get(f"{prefix}{version}{name}"):
                return found
        return None

    def fields(self, path, name):
        """A struct's fields by JSON name, those of embedded structs among them."""
        result = {}
        for field_name, field in self.packages[path].structs[name]:
            json = (field.tag("json") or "").split(",")
            if "inline" in json or (field_name is None and not json[0]):
                if field.type.split(".")[-1] == "TypeMeta":
                    result["kind"] = result["apiVersion"] = (path, Field("string", "", []))
                else:
                    result.update(self.fields(*self.locate(path, field.type)))
            elif json[0] and json[0] != "-":
                result[json[0]] = (path, field)
        return result

    def locate(self, path, go_type):
        go_type = go_type.lstrip("*")
        if "." in go_type:
            alias, name = go_type.split(".")
            return self.packages[path].imports.get(alias, alias), name
        return path, go_type

    def type(self, path, go_type):
        """The code of a type (see SchemaText.swift) and its enumeration, if it is one."""
        go_type = go_type.lstrip("*")
        if go_type == "[]byte":
            return "y", None
        if go_type.startswith("[]"):
            code, values = self.type(path, go_type[2:])
            return "[" + code, values
        if go_type.startswith("map["):
            return "{" + self.type(path, go_type[go_type.index("]") + 1:])[0], None
        if go_type in BASIC:
            return BASIC[go_type], None
        package, name = self.locate(path, go_type)
        short = "meta" if package.endswith("meta/v1") else package.split("/")[-2 if package in PACKAGES else -1]
        if (short, name) in SPECIAL:
            return SPECIAL[(short, name)], None
        known = self.packages[package]
        if name in known.structs:
            self.define(package, name)
            return ">" + PACKAGES[package][0] + name, None
        code, values = self.type(package, known.named[name])
        if name in known.enums:
            values = sorted(v for v in known.values.get(name, []) if v or name == "ignored")
        return code, values

    def define(self, path, name):
        definition = PACKAGES[path][0] + name
        if definition in self.definitions:
            return
        rows = self.definitions[definition] = []
        model = self.model(path, name)
        for json, (owner, field) in sorted(self.fields(path, name).items()):
            if model and json not in model[0]:
                continue
            code, values = self.type(owner, field.type)
            if model:
                required = json in model[1]
            else:
                required = "+optional" not in field.comments and "omitempty" not in (field.tag("json") or "")
            attributes = []
            if code.startswith("["):
                kinds, keys = field.markers("listType"), field.markers("listMapKey")
                if kinds:
                    attributes.append("L=" + kinds[0] + (":" + ",".join(keys) if keys else ""))
            if "atomic" in field.markers("mapType") + field.markers("structType"):
                attributes.append("A")
            if strategy := field.tag("patchStrategy"):
                key = field.tag("patchMergeKey")
                attributes.append(f"P={strategy}" + (f":{key}" if key else ""))
            if values:
                attributes.append("E=" + "|".join(dict.fromkeys(values)))
            if defaults := [d for d in field.markers("default") if not d.startswith("ref(")]:
                attributes.append("D=" + defaults[0].replace(" ", ""))
            elif json in ("protocol",) and code == "s" and name in ("ContainerPort", "ServicePort"):
                attributes.append('D="TCP"')
            rows.append((json, required, code, attributes))
        if "+structType=atomic" in self.packages[path].type_comments[name] or \
                "+mapType=atomic" in self.packages[path].type_comments[name]:
            rows.insert(0, (".", False, "A", []))

    def by_hand(self):
        for prefix, types in BY_HAND.items():
            for line in types.strip().splitlines():
                name, fields = line.split(": ")
                rows = self.definitions[prefix + name] = []
                for field in fields.split(", "):
                    json, code, *attributes = field.split(" ")
                    if ">" in code:
                        target = code.split(">")[1]
                        owner = META if target in ("ObjectMeta", "ListMeta") else prefix
                        code = code.split(">")[0] + ">" + owner + target
                    rows.append((json.rstrip("!"), json.endswith("!"), code, attributes))

    def run(self):
        for path, package in self.packages.items():
            for name in sorted(package.structs):
                whole_object = any(f.type.endswith("TypeMeta") for _, f in package.structs[name])
                if whole_object and self.model(path, name):
                    self.define(path, name)
        for name in ("DeleteOptions", "Status", "APIResourceList", "APIGroupList", "APIGroup", "APIVersions",
                     "ListMeta", "ObjectMeta", "WatchEvent"):
            self.define("k8s.io/apimachinery/pkg/apis/meta/v1", name)
        self.by_hand()
        return self.definitions


def descriptions():
    """`Type: text`, `Type.field: text` or `*.field: text`, one a line."""
    texts = {}
    for line in (HERE / "descriptions.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            key, text = line.split(": ", 1)
            assert key not in texts, f"described twice: {key}"
            texts[key] = text
    return texts


def shortened(code):
    """Definition names without what most begin with."""
    return code.replace(META, "^").replace(API, "~")


def main():
    with tempfile.TemporaryDirectory() as temporary:
        definitions = Generator(*fetch(sys.argv[1] if len(sys.argv) > 1 else temporary)).run()
    texts = descriptions()
    used = set()

    def text(*keys):
        for key in keys:
            if key in texts:
                used.add(key)
                return "\t" + texts[key]
        return ""

    lines = []
    for definition, rows in sorted(definitions.items()):
        name = definition.split(".")[-1]
        version = ".".join(definition.split(".")[-3:])
        about = text(version, name)
        if not about and name.endswith("List") and name[:-4]:
            about = f"\tA list of {name[:-4]} objects."
        lines.append("=" + shortened(definition) + about)
        for json, required, code, attributes in rows:
            row = " ".join([json + ("!" if required else ""), shortened(code), *attributes])
            lines.append(row + text(f"{version}.{json}", f"{name}.{json}", f"*.{json}"))
    for key in sorted(set(texts) - used):
        print(f"descriptions.txt describes what no kind has: {key}", file=sys.stderr)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(
        "// Generated by scripts/generate-schemas.py; do not edit.\n\n"
        "/// The definitions of Kubernetes 1.33's stable kinds, in the form that `SchemaIndex` reads.\n"
        'let schemaText: StaticString = #"""\n' + "".join(f"    {line}\n" for line in lines) + '    """#\n')
    print(f"{len(definitions)} definitions, {len(lines)} lines, {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
