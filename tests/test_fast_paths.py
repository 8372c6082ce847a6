"""What is not looked at for speed would say nothing: the fast way and the slow way agree.

The slow way searches every pattern in every file and parses every Compose file whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detect import keys, sockets
from bot.detect.compose.hints import Quiet, hinted
from bot.detect.compose.plain import Named, plainly_named
from bot.detect.engine import Detected, detect
from bot.detect.format import ending, formats, formats_of
from bot.detect.keys import Keyed
from bot.detect.lines import decode
from bot.detect.shell import Script, Value, interpreter
from bot.detect.shell.plain import plain_commands
from bot.detect.shell.reader import Reader
from bot.detect.shell.tree import Word
from bot.detect.source import DictSource
from bot.review.compare import in_scope
from tests.cases import CASES


@contextmanager
def slow() -> Iterator[None]:
    """Leave nothing out that is left out for speed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keyed, "search", lambda self, text: self.pattern.search(text))
        patch.setattr("bot.detect.compose.grants.may_reach", lambda *_: True)
        patch.setattr(Quiet, "is_quiet", lambda *_: False)
        yield


def both(files: dict[str, bytes | str], path: str) -> tuple[Detected, Detected]:
    source = DictSource(files)
    fast = detect(path, source)
    with slow():
        return fast, detect(path, source)


def _trees() -> Iterator[tuple[str, dict[str, bytes | str]]]:
    for head in sorted(CASES.glob("*/*/head")):
        yield (
            head.parent.name,
            {
                path.relative_to(head).as_posix(): path.read_bytes()
                for path in head.rglob("*")
                if path.is_file() and not path.is_symlink()
            },
        )


def test_both_ways_agree_on_every_case() -> None:
    assert sum(1 for _ in _trees()) > 100
    for name, files in _trees():
        for path in files:
            if in_scope(path):
                fast, slowly = both(files, path)
                assert fast == slowly, (name, path)


def _texts() -> dict[str, str]:
    """Return a file of each format that it matches."""
    found: dict[str, str] = {}
    for _, files in _trees():
        for path, data in files.items():
            text = decode(data) if isinstance(data, bytes) else data
            for form in formats():
                if text is not None and form.name not in found and form.matches(path, text):
                    found[form.name] = text
    return found


_TEXTS = _texts()
_FOLDERS = st.sampled_from(
    ["", ".github/workflows/", ".circleci/", "templates/", "molecule/a/", "test/", ".drone/",
     ".semaphore/", ".woodpecker/", "gitlab/", ".teamcity/", "group_vars/", "values/"]
)  # fmt: skip
_STEMS = st.sampled_from(
    ["compose", "docker-compose", "action", "config", "values", "feature", "scenarios", "package",
     "tasks", "molecule", ".travis", "appveyor", ".cirrus", "azure-pipelines", "daemon",
     "devcontainer", "docker-bake", "buildspec", "cloudbuild", "codefresh", "semaphore", "a", "",
     "bitbucket-pipelines", ".gitlab-ci", "a.pkr", "buildkite", "pipeline", "Dockerfile", "a.tf"]
)  # fmt: skip
_ENDINGS = st.sampled_from(
    ["", ".", ".yml", ".yaml", ".YAML", ".json", ".j\u017fon", ".JSON", ".jsonc", ".hcl", ".tf",
     ".tofu", ".tfvars", ".kt", ".kts", ".\u212at", ".xml", ".nix", ".pod", ".build", ".kube",
     ".volume", ".container", ".j2", ".tpl", ".template", ".in", ".example", ".sh", ".txt"]
)  # fmt: skip


@given(_FOLDERS, _STEMS, st.lists(_ENDINGS, max_size=2), st.sampled_from(sorted(_TEXTS)))
def test_no_format_matches_a_file_that_ends_otherwise_than_it_says(
    folder: str, stem: str, endings: list[str], about: str
) -> None:
    path = folder + stem + "".join(endings)
    asked = formats_of(ending(path))
    for form in formats():
        assert form in asked or not form.matches(path, _TEXTS[about]), form.name


def test_every_case_is_read_by_formats_that_are_asked() -> None:
    assert _TEXTS.keys() == {form.name for form in formats()}
    for name, files in _trees():
        for path, data in files.items():
            text = decode(data) if isinstance(data, bytes) else data
            left = set(formats()) - set(formats_of(ending(path)))
            assert not any(form.matches(path, text or "") for form in left), (name, path)


_SAID = (
    "docker", "run", "-v", "/run/docker.sock:/x", "A=b", "a=", "=", "export", "time", "if", "then",
    "fi", "do", "done", "function", "f", "2", "ü", "a:b@c%d+e,f", "--", "-", "#", "$A", "'", "(",
    ")", "{", "}", "[[", "!", "~", "*", ">", "|", ";", "&", "\\",
)  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([*_SAID[:21] * 3, *_SAID[21:]]), st.sampled_from(" \t\n ")),
        max_size=9,
    )
)
def test_plain_words_are_read_as_the_grammar_reads_them(pieces: list[tuple[str, str]]) -> None:
    text = "".join(f"{word}{after}" for word, after in pieces)
    plain = plain_commands(text)
    if plain is not None:
        assert _shown(plain) == _shown(Reader(text).script())


def test_most_lines_of_a_script_are_plain_words() -> None:
    assert plain_commands("make build\n\n\tdocker run -v /a:/b --name=c d:1 e\n") is not None
    assert plain_commands("time make") is None
    assert plain_commands("A=b make") is None
    assert plain_commands("export A=b") is None
    assert plain_commands("make #x") is None


def _shown(node: object) -> object:
    """Return a tree with what it says of its words instead of them."""
    if isinstance(node, Word):
        return (node.parts, node.at, node.end)
    if isinstance(node, tuple):
        return (type(node).__name__, *map(_shown, node))
    return node


def _keyed() -> list[tuple[str, Keyed]]:
    found: list[tuple[str, Keyed]] = []
    for form in formats():
        module = import_module(f"bot.detect.formats.{form.name}")
        for name, value in vars(module).items():
            several = value if isinstance(value, tuple) else (value,)
            found += [(f"{form.name}.{name}", one) for one in several if isinstance(one, Keyed)]
    return found


KEYED = _keyed()
_WORDS = sorted({word for _, keyed in KEYED for word in keyed.words})
_GLUE = [
    "\n",
    "\n",
    " ",
    "  ",
    "- ",
    "{",
    "}",
    '"',
    "'",
    ":",
    ": ",
    "\t",
    "#",
    "x",
    "2.1",
    ".",
    "\r",
]


@given(st.lists(st.sampled_from([*_WORDS, *_GLUE, "tekton.dev/", "pipeline"]), max_size=30))
def test_a_pattern_with_keys_is_found_only_where_one_of_them_is(pieces: list[str]) -> None:
    text = "".join(pieces)
    for name, keyed in KEYED:
        assert (keyed.pattern.search(text) is None) == (keyed.search(text) is None), name


@pytest.mark.parametrize(("name", "keyed"), KEYED, ids=[name for name, _ in KEYED])
def test_a_pattern_with_keys_is_found_where_they_are_alone(name: str, keyed: Keyed) -> None:
    assert keyed.words, name
    found = [
        word
        for word in keyed.words
        for indent in ("", "  ", "- ")
        for rest in ("", " pipeline", " 2.1", " 0.2", " tekton.dev/v1")
        if keyed.search(f"{indent}{word}:{rest}\n")
    ]
    assert found


def test_keys_are_told_in_every_spelling() -> None:
    text = "a: 1\n  - b : 2\n{\"c\": 3}\n- 'd' :\n# e: 5\nf g: 6\nno\nh:i\n"
    assert keys.keys(text) == {"a", "b", "c", "d", "h"}


_SEGMENTS = [
    "/", "//", "/./", "/../", "..", ".", "/var", "/run", "/proc/1/root", "/private", "/host_mnt",
    "/home/a", "/root", "~", "$HOME", "${HOME}", "$PWD", "${X:-", "}", "$X", "${X}", "/user/1000",
    "/podman", "/docker", "/containerd", "/k3s", "/.docker", "/desktop", "/.rd", "/.lima", "/x",
    "/docker.sock", "/podman.sock", "\\\\.\\pipe\\docker_engine", "//./pipe/", "docker_engine",
    "/private/", "/host_mnt/..", "${X:+", "x:", "}:", "https:",
    "/volume1", "/snap/microk8s/common", "/.colima/default", "/.orbstack", "a", "-", "_", ":", " ",
    "tcp://", "ssh://", "unix://", "http://", "host", ":2375", ":4243", "localhost", "10.0.0.1",
    "${XDG_RUNTIME_DIR}", "%t", "/secrets", "/mysqld", "/lib",
]  # fmt: skip
_paths = st.lists(st.sampled_from(_SEGMENTS), min_size=1, max_size=6).map("".join)


@given(_paths, st.sampled_from(["- {}:/x", "- '{}:/x'", "source: {}", 'source: "{}"', "a={},b"]))
def test_no_path_to_a_daemon_is_without_a_hint(path: str, written: str) -> None:
    if ":" not in path and sockets.host_path(path) is not None:
        assert hinted(written.format(path))


_NAMES = st.sampled_from(
    [
        "DOCKER_HOST", "CONTAINER_HOST", "PODMAN_HOST", "BUILDKIT_HOST", "CONTAINERD_ADDRESS",
        "CONTAINER_RUNTIME_ENDPOINT", "IMAGE_SERVICE_ENDPOINT", "DOCKER_SOCK", "CORE_VM_ENDPOINT",
        "_EXPERIMENTAL_DAGGER_RUNNER_HOST", "TRAEFIK_PROVIDERS_SWARM_ENDPOINT", "DB_HOST", "A",
    ]
)  # fmt: skip
_COMMANDS = st.sampled_from(
    [
        "docker -H {} ps", "docker run -v {}:/x a", "dockerd --host {}", "nginx",
        "traefik --providers.docker.endpoint={}", "sh -c 'export DOCKER_HOST={}; docker ps'",
        "-H {}", "docker run --mount type=bind,src={},dst=/x a", "docker run -v{}:/x a",
    ]
)  # fmt: skip
_TEMPLATES = st.sampled_from(
    [
        "    volumes: ['{path}:/x']\n",
        "    volumes:\n      - {path}:/x:ro\n",
        "    volumes:\n      - type: bind\n        source: {path}\n        target: /x\n",
        "    volumes: [data:/x]\n",
        "    volumes: *v\n",
        "    volumes_from: [a]\n",
        "    extends: a\n",
        "    <<: *b\n",
        "    environment:\n      {name}: {path}\n",
        "    environment: ['{name}={path}']\n",
        "    environment: [{name}]\n",
        "    env_file: a.env\n",
        "    env_file : ['a.env']\n",
        "    \"volumes\": ['\\u002f:/x']\n",
        '    volumes: ["\\/:/x"]\n',
        '    volumes: ["\\t/:/x"]\n',
        '    volumes: ["/\\n:/x", "\\_{path}\\t:/y"]\n',
        '    labels: {{icon: "\\U0001F4BE"}}\n',
        "    # what else to include\n",
        "    x-include: {path}\n",
        "    command: {command}\n",
        "    command: ['sh', '-c', \"{command}\"]\n",
        "    healthcheck: {{test: {command}}}\n",
        "    secrets: [s]\n",
        "    image: tecnativa/docker-socket-proxy\n",
        "    container_name: host\n",
        "    labels: {{a: b}}\n",
    ]
)
_INCLUDES = st.sampled_from(
    ["", "include: [b.yaml]\n", "'include' : b.yaml\n", "? include\n: b.yaml\n", "# include it\n"]
)
_service = st.lists(st.tuples(_TEMPLATES, _paths, _NAMES, _COMMANDS), min_size=1, max_size=3)


@given(st.lists(_service, min_size=1, max_size=3), _INCLUDES, _paths, _paths, _paths)
def test_both_ways_agree_on_compose_files(
    services: list[list[tuple[str, str, str, str]]],
    include: str,
    shared: str,
    device: str,
    given_by: str,
) -> None:
    text = f"{include}x-v: &v\n  - {shared}:/y\nx-b: &b\n  privileged: true\n  volumes: *v\n"
    text += "services:\n"
    for name, parts in zip("abc", services, strict=False):
        text += f"  {name}:\n    image: alpine\n"
        for template, path, variable, command in parts:
            said = command.format(path).replace(": ", ":")
            text += template.format(path=path, name=variable, command=said)
    text += f"volumes:\n  data:\n    driver_opts: {{type: none, o: bind, device: '{device}'}}\n"
    text += f"secrets:\n  s: {{file: '{shared}'}}\n"
    files: dict[str, bytes | str] = {
        "compose.yaml": text, ".env": f"X={given_by}\nDOCKER_HOST={given_by}\n",
        "a.env": f"DOCKER_HOST={given_by}\n",
        "b.yaml": f"services:\n  z:\n    image: a\n    volumes: ['{shared}:/z']\n",
    }  # fmt: skip
    fast, slowly = both(files, "compose.yaml")
    assert fast == slowly


_NAMING = st.sampled_from(
    [
        "    extends:\n      file: {0}\n      service: z\n",
        "    extends:\n      service: z\n      file: {0}\n",
        "    extends:\n      file: '{0}' # and\n      service: z\n",
        "    extends:\n      file: c\n        d.yml\n      service: z\n",
        "    extends:\n      file: c\n\n       # no\n      service: z\n",
        "    extends: {{file: {0}, service: z}}\n",
        "    extends: {{\n      file: {0}\n      , service: z}}\n",
        '    extends: {{"file": {0}, service: z}}\n',
        "    extends:\n      ? file\n      : {0}\n      service: z\n",
        "    extends:\n      file: &f {0}\n      service: z\n",
        "    extends: z\n",
        "    extends: {{service: z}}\n",
        "    <<: {{extends: {{service: z, file: {0}}}}}\n",
        "    env_file: {0}\n",
        "    env_file: ./{0}\n",
        '    env_file: "{0}"\n',
        "    env_file:\n      - {0}\n      # - d.yml\n      - 'd.yml'\n",
        "    env_file:\n    - {0}\n",
        "    env_file:\n      - path: {0}\n",
        "    env_file:\n      - d\n        .yml\n",
        "    env_file: c\n     d.yml\n",
        "    env_file: [{0}]\n",
        "    env_file:\n",
        "    env_file: ['a', # {0}\n      {0}]\n",
        "    # file: {0}\n",
        "    labels:\n      file: {0}\n",
        "    build:\n      dockerfile: {0}\n",
        "    volumes: ['$A:/x', '${{B}}:/y']\n",
        "    command: docker run -v $$A:/x $A\n",
        "    command: docker run -v $$A$$B:/x a\n",
        "{{{{#if a}}}}\n",
        "\tfile: {0}\n",
    ]
)
_NAMED_FILES = st.sampled_from(["c.yml", "d.yml", "c", "c d.yml", "c/../d.yml", "../d.yml", "e"])
_REACHING = st.sampled_from(["/run", "data", "$A", "${A}un", "/var/run/docker.sock", "x"])


@given(
    st.lists(st.tuples(_NAMING, _NAMED_FILES), min_size=1, max_size=3),
    st.lists(st.tuples(_NAMING, _NAMED_FILES), max_size=2),
    _REACHING, _REACHING, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "a/"]),
)  # fmt: skip
def test_both_ways_agree_on_compose_files_that_name_others(
    parts: list[tuple[str, str]],
    further: list[tuple[str, str]],
    reached: str,
    given_by: str,
    end: str,
    folder: str,
) -> None:
    text = "services:\n  z:\n    image: a\n  y:\n    image: b\n"
    text += "".join(part.format(name) for part, name in parts)
    other = f"services:\n  z:\n    image: c\n    volumes: ['{reached}:/z']\n"
    other += "".join(part.format(name) for part, name in further)
    variables = f"A={given_by}\nB={reached}\nDOCKER_HOST={given_by}\n"
    files: dict[str, bytes | str] = {
        "compose.yml": text.replace("\n", end), "c.yml": other, "c d.yml": other,
        "c": "services: {z: {image: c}}\n",
        "d.yml": f"{variables}services: {{z: {{image: e, volumes: ['{reached}:/y']}}}}\n",
        "e": "A=/r\nB=un\n", ".env": f"A={given_by}\n",
    }  # fmt: skip
    files = {f"{folder}{name}": content for name, content in files.items()}
    fast, slowly = both(files, f"{folder}compose.yml")
    assert fast == slowly


@pytest.mark.parametrize(
    ("text", "extended", "settings"),
    [
        ("extends:\n  file: a.yml\n  service: b", {"a.yml"}, set()),
        ("extends:\n  service: b\n  file: 'a.yml' # which\n\n# end\n", {"a.yml"}, set()),
        ("env_file: .env\nfile: x y", set(), {".env"}),
        ("- env_file: .env\r\n  file: b\r\n", set(), {".env"}),
        ("env_file:\n- a\n# - b\n- ./c\nimage: d", set(), {"a", "./c"}),
        ("build:\n  dockerfile: x y\n  extends: no", set(), set()),
    ],
)
def test_names_that_are_plainly_written(text: str, extended: set[str], settings: set[str]) -> None:
    assert plainly_named(text) == Named(frozenset(extended), frozenset(settings))


@pytest.mark.parametrize(
    "text",
    [
        "extends:\n  file: a\n    .yml\n  service: b",
        "extends:\n  file: a\n# c\n    .yml\n  service: b",
        "extends:\n  file: a\n   \xa0\n  service: b",
        "extends:\n  file: a\u2028    .yml\n  service: b",
        "extends:\n  file: a # c\u2028\n  service: b",
        "extends:\n  file: a\n - b\n",
        "extends:\n  file: a\n  , service: b",
        "extends: {file: a}",
        "extends:\n  'file': a",
        "extends:\n  ? file\n  : a",
        "extends:\n  file: &a b",
        "extends:\n  file: $A",
        "extends: *a\nx: *b\nfile:\n  c",
        "env_file: a\n  b\nimage: c",
        "env_file:\n  - a\n    b\nimage: c",
        "env_file:\n  - a\n - b\nimage: c",
        "env_file:\n  - path: a\nimage: c",
        "env_file:\nimage: c",
        "  env_file:\n - a\nimage: c",
        "env_file: [a]",
        "x_env_file: a",
        " " * 50 + "env_file: a",
    ],
)
def test_names_that_take_a_parser(text: str) -> None:
    assert plainly_named(text) is None


@given(st.lists(_service, min_size=1, max_size=3), st.sampled_from([1, 40, 2_000]))
def test_a_script_that_is_said_again_reaches_the_same_on_other_lines(
    services: list[list[tuple[str, str, str, str]]], before: int
) -> None:
    texts = [
        f"{name}={path}\n{command.format(path)}\ndocker run -v ${name}:/x a"
        for parts in services
        for _, path, name, command in parts
    ]
    for text in texts:
        env = {"DOCKER_HOST": Value("tcp://a", before), "B": Value("/run", 0)}
        script = Script(text, tuple(range(before, before + text.count("\n") + 1)))
        again = interpreter.interpret(script, env)
        assert again == interpreter.interpret(script, env)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                interpreter, "followed", lambda one, env, dialect, f: f(one, env, dialect).reaches
            )
            assert again == interpreter.interpret(script, env)
