"""Makes the definitions: which fields a kind has is what the Python package says, all else the Go structs."""

import re

from go_types import Field, Package
from packages import BASIC, BY_HAND, META, PACKAGES, SPECIAL

ROOTS = ("DeleteOptions", "Status", "APIResourceList", "APIGroupList", "APIGroup", "APIVersions", "ListMeta",
         "ObjectMeta", "WatchEvent")
META_PACKAGE = "k8s.io/apimachinery/pkg/apis/meta/v1"


class Row:
    """A field of a definition, or with the name `.` a fact about the definition itself."""

    def __init__(self, name, code, required=False, attributes=()):
        self.name, self.code, self.required, self.attributes = name, code, required, list(attributes)


class Generator:
    def __init__(self, sources):
        self.packages = {path: Package(path, sources.go / path) for path in PACKAGES}
        self.models = self.python_models(sources.python / "kubernetes/client/models")
        self.definitions = {}

    def run(self):
        for path, package in self.packages.items():
            for name in sorted(package.structs):
                whole_object = any(f.type.endswith("TypeMeta") for _, f in package.structs[name])
                if whole_object and self.model(path, name):
                    self.define(path, name)
        for name in ROOTS:
            self.define(META_PACKAGE, name)
        self.by_hand()
        return self.definitions

    @staticmethod
    def python_models(directory):
        """Class name -> (JSON names, required JSON names), as Kubernetes 1.33 has them."""
        models = {}
        for file in directory.glob("*.py"):
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

    def fields(self, path, name, numbers=()):
        """A struct's fields by JSON name, those of embedded structs among them: package, field, protobuf number.

        In protobuf an embedded struct is a message of its own, so that the number has two parts or more.
        """
        result = {}
        for field_name, field in self.packages[path].structs[name]:
            json = (field.tag("json") or "").split(",")
            number = (field.tag("protobuf") or ",").split(",")[1]
            if "inline" in json or (field_name is None and not json[0]):
                if field.type.split(".")[-1] == "TypeMeta":
                    result["kind"] = result["apiVersion"] = (path, Field("string", "", []), None)
                else:
                    result.update(self.fields(*self.locate(path, field.type), numbers=(*numbers, number)))
            elif json[0] and json[0] != "-":
                result[json[0]] = (path, field, ".".join((*numbers, number)) if number else None)
        return result

    def locate(self, path, go_type):
        go_type = go_type.lstrip("*")
        if "." in go_type:
            alias, name = go_type.split(".")
            return self.packages[path].imports.get(alias, alias), name
        return path, go_type

    def special(self, package, name):
        short = "meta" if package.endswith("meta/v1") else package.split("/")[-2 if package in PACKAGES else -1]
        return SPECIAL.get((short, name))

    def type(self, path, go_type):
        """The code of a type (see FieldTableReader.swift) and its enumeration, if it is one."""
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
        if special := self.special(package, name):
            return special, None
        known = self.packages[package]
        if name in known.structs:
            self.define(package, name)
            return ">" + PACKAGES[package][0] + name, None
        code, values = self.type(package, known.named[name])
        if name in known.enums:
            values = sorted(v for v in known.values.get(name, []) if v or name == "ignored")
        return code, values

    def protobuf(self, path, go_type, number):
        """The number, and what JSON does not show of the field: `*` for a pointer, `w` for a list in a message."""
        if not number or "apiextensions" in path:
            return []
        package, name = self.locate(path, go_type)
        named = self.packages[package].named.get(name, "") if package in self.packages else ""
        is_wrapped = named.startswith("[]") and named != "[]byte"
        return ["#" + number + ("*" if go_type.startswith("*") else "") + ("w" if is_wrapped else "")]

    def define(self, path, name):
        definition = PACKAGES[path][0] + name
        if definition in self.definitions:
            return
        rows = self.definitions[definition] = []
        model = self.model(path, name)
        for json, (owner, field, number) in sorted(self.fields(path, name).items()):
            if model and json not in model[0]:
                continue
            code, values = self.type(owner, field.type)
            if model:
                required = json in model[1]
            else:
                required = "+optional" not in field.comments and "omitempty" not in (field.tag("json") or "")
            attributes = self.protobuf(owner, field.type, number) + self.merging(field, code)
            if values:
                attributes.append("E=" + "|".join(dict.fromkeys(values)))
            if defaults := [d for d in field.markers("default") if not d.startswith("ref(")]:
                attributes.append("D=" + defaults[0].replace(" ", ""))
            elif json in ("protocol",) and code == "s" and name in ("ContainerPort", "ServicePort"):
                attributes.append('D="TCP"')
            rows.append(Row(json, code, required, attributes))
        if "+structType=atomic" in self.packages[path].type_comments[name] or \
                "+mapType=atomic" in self.packages[path].type_comments[name]:
            rows.insert(0, Row(".", "A"))

    @staticmethod
    def merging(field, code):
        """How lists and objects merge, by server-side apply and by strategic merge."""
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
        return attributes

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
                    rows.append(Row(json.rstrip("!"), code, json.endswith("!"), attributes))
