"""Fetches what the facts come from: the PyPI package `kubernetes` and Debian's golang-k8s-*-dev packages (sid)."""

import pathlib
import subprocess
import sys
import zipfile

PYTHON_PACKAGE = "kubernetes==33.1.0"
GO_PACKAGES = ["golang-k8s-api-dev", "golang-k8s-apimachinery-dev", "golang-k8s-apiextensions-apiserver-dev"]


class Unavailable(Exception):
    """The sources cannot be had here: no network, no pip, no apt."""


class Sources:
    """The unpacked sources in a directory, downloaded where they are not there yet."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory).resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.python = self.directory / "python"
        go = self.directory / "go"
        try:
            if not self.python.exists():
                self.fetch_python()
            if not go.exists():
                self.fetch_go(go)
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(getattr(error, "stderr", None) or str(error)) from error
        self.go = go / "usr/share/gocode/src"

    def versions(self):
        """What the table was generated from, for its head: what is newer may say something else."""
        packages = [p.name.rsplit("_", 1)[0].replace("_", " ") for p in self.directory.glob("golang-*.deb")]
        return ", ".join([PYTHON_PACKAGE.replace("==", " "), *sorted(packages)])

    def fetch_python(self):
        run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--retries", "1", "--timeout", "10",
             "--disable-pip-version-check", "-d", self.directory, PYTHON_PACKAGE])
        wheel = next(self.directory.glob("kubernetes-33*.whl"))
        partial = self.python.with_suffix(".part")
        zipfile.ZipFile(wheel).extractall(partial)
        partial.rename(self.python)

    def fetch_go(self, go):
        sources = self.directory / "sid.sources"
        sources.write_text("Types: deb\nURIs: http://deb.debian.org/debian\nSuites: sid\nComponents: main\n"
                           "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n")
        (self.directory / "lists/partial").mkdir(parents=True, exist_ok=True)
        options = ["-o", f"Dir::Etc::sourcelist={sources}", "-o", "Dir::Etc::sourceparts=/dev/null",
                   "-o", f"Dir::State::lists={self.directory}/lists", "-o", f"Dir::Cache={self.directory}",
                   "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none",
                   "-o", "Acquire::http::Timeout=10", "-o", "Acquire::Retries=1"]
        run(["apt-get", *options, "-qq", "-o", "APT::Update::Error-Mode=any", "update"])
        run(["apt-get", *options, "-qq", "download", *GO_PACKAGES], cwd=self.directory)
        partial = go.with_suffix(".part")
        for package in self.directory.glob("golang-*.deb"):
            run(["dpkg", "-x", package, partial])
        partial.rename(go)


def run(command, **options):
    subprocess.run(command, check=True, timeout=300, capture_output=True, text=True, **options)
