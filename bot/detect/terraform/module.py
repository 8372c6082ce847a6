"""The files of one Terraform module and what their values come to.

Source: Terraform language, "Files and Directories", "JSON Configuration Syntax", "Assigning Values
to Root Module Variables".
"""

from functools import cached_property
from posixpath import basename, dirname

from bot.detect.hcl import Scope, read_hcl
from bot.detect.lines import LARGEST, Text, decode
from bot.detect.positioned import Node
from bot.detect.source import Source
from bot.detect.yaml_tree import read_json

_MOST_FILES = 60
_LARGEST_OTHER = LARGEST // 16
_EMPTY = Node("map", "", (), (), 0, 0, Text(""))


def read(path: str, text: Text) -> Node:
    """Return one file of a module, in either syntax."""
    if path.endswith(".json"):
        documents = read_json(text).documents
        return documents[0] if documents and documents[0].kind == "map" else _EMPTY
    return read_hcl(text)


class Module:
    """One file of a module, and those beside it as far as its values ask for them."""

    def __init__(self, path: str, text: Text, source: Source) -> None:
        self.path = path
        self.text = text
        self.root = read(path, text)
        self._source = source

    @cached_property
    def scope(self) -> Scope:
        """What the module's variables and locals come to."""
        content = self.text.content
        if "var." not in content and "local." not in content:
            return Scope({self.path: self.root})
        roots: dict[str, Node] = {self.path: self.root}
        settings: dict[str, Node] = {}
        folder = dirname(self.path)
        beside = [path for path in self._source.paths() if dirname(path) == folder]
        for path in beside[: _MOST_FILES * 4]:
            name = basename(path)
            if path == self.path or len(roots) + len(settings) > _MOST_FILES:
                continue
            if name.endswith((".tf", ".tf.json")):
                roots[path] = self._read(path)
            elif name == "terraform.tfvars" or name.endswith(".auto.tfvars"):
                settings[path] = self._read(path)
        return Scope(roots, settings)

    def _read(self, path: str) -> Node:
        data = self._source.read(path)
        content = decode(data) if data is not None and len(data) <= _LARGEST_OTHER else None
        return read(path, Text(content)) if content is not None else _EMPTY
