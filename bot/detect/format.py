"""The shape that each module in `formats/` fills in, and how the modules are found."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from pkgutil import iter_modules

from bot.detect.grant import Grant, Unknown
from bot.detect.source import Source


def _no_references(_path: str, _text: str) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file.

    `matches(path, text)` says whether the module reads this file. It is called for every changed
    file, so it looks at the path first and at the text only by plain substring or regex search
    (`keys.Keyed` where what is looked for is a key: it costs nothing in files without the key).
    `grants(path, source)` yields what the file hands over. It never raises for bad input.
    `references(path, text)` names the files of the commit that the meaning of this one depends on
    (`extends`, `include`, `.env`), whether they exist or not: this file is compared again when one
    of them changes. One that is the `last_resort` reads only what no other format does.
    `endings` is how the names of all files end that it can match, as `ending` tells them: it is not
    asked about others. () where their names do not tell.
    """

    name: str
    matches: Callable[[str, str], bool]
    grants: Callable[[str, Source], Iterable[Grant | Unknown]]
    references: Callable[[str, str], Iterable[str]] = _no_references
    last_resort: bool = False
    endings: tuple[str, ...] = ()


_TEMPLATE_SUFFIX = re.compile(
    r"\.(?:in|j2|jinja2?|tpl|tmpl|template|tftpl|erb|mustache|sigil|hbs|gotmpl|dist|example|sample"
    r"|orig|bak|disabled|default)\Z",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def plain_name(path: str) -> str:
    """Return a file's own name without its folder and without what marks it as a template.

    "deploy/compose.yaml.j2" -> "compose.yaml"
    """
    name = path.rsplit("/", 1)[-1]
    while (shorter := _TEMPLATE_SUFFIX.sub("", name)) != name and shorter:
        name = shorter
    return name


def ending(path: str) -> str:
    """Return a file's extension, dot and all, without what marks it as a template; "" for none.

    In small letters: "deploy/Compose.YAML.j2" -> ".yaml".
    """
    _, dot, last = plain_name(path).rpartition(".")
    return dot + last.casefold() if dot else ""


_ENGINE = re.compile(
    r"\.(?:in|j2|jinja2?|tpl|tmpl|template|tftpl|erb|mustache|sigil|hbs|gotmpl)\Z", re.IGNORECASE
)
_KNOWN = re.compile(
    r"\.(?:ya?ml|json\w*|toml|ini|cfg|conf|env|xml|html?|css|md|rst|adoc|txt|csv|sql|svg|sh|bash|ps1"
    r"|bat|cmd|py|rb|js|jsx|ts|tsx|go|java|kts?|rs|c|h|cc|cpp|hpp|cs|php|pl|lua|swift|scala|ex|exs"
    r"|tf|hcl|nix|service|socket|timer|mk|lua|vim|desktop|plist|properties|rules)\Z",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def nameless(path: str) -> bool:
    """Tell whether a file is a template whose name does not say what it is a template of.

    "roles/web/templates/pod.j2" is one, "pod.yaml.j2" is not: what it holds has to tell.
    """
    name = path.rsplit("/", 1)[-1]
    return bool(_ENGINE.search(name)) and not _KNOWN.search(plain_name(path))


@cache
def formats() -> tuple[Format, ...]:
    """Return the FORMAT of every module in `bot/detect/formats/`, by name.

    Raises TypeError, with the line to write, for a module without one: a format that silently does
    not load would be a hole. An import error is passed on for the same reason.
    """
    package = import_module("bot.detect.formats")
    found: list[Format] = []
    for info in sorted(iter_modules(package.__path__), key=lambda info: info.name):
        if info.name.startswith("_"):
            continue
        module = import_module(f"{package.__name__}.{info.name}")
        value = getattr(module, "FORMAT", None)
        if not isinstance(value, Format) or value.name != info.name:
            raise TypeError(
                f"{module.__name__} must end with: "
                f'FORMAT = Format("{info.name}", matches=..., grants=...)'
            )
        found.append(value)
    return tuple(found)


@lru_cache(maxsize=1024)
def formats_of(extension: str) -> tuple[Format, ...]:
    """Return the formats that may match a file of this ending."""
    return tuple(f for f in formats() if not f.endings or extension in f.endings)
