"""Reads the structs of Go packages: fields, tags and the markers in comments."""

import re


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

    def __init__(self, path, directory):
        self.path = path
        self.structs, self.named, self.enums, self.type_comments, self.values = {}, {}, set(), {}, {}
        self.imports = {}
        for file in sorted(directory.glob("*.go")):
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
