"""Hostile sizes and shapes: bounded time and memory, the right line, never a crash.

Each input runs in a process of its own, so that its memory is its own. The caps on time are guards
against a hang, not measurements.
"""

import json
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.detect import effort
from bot.detect.engine import detect
from bot.detect.source import DictSource

_HANG = 60  # seconds; the machine may be busy
_MOST_MEMORY = 500  # MB
_SOCKET = "/var/run/docker.sock:/var/run/docker.sock"
_RUN = """
import json, pickle, resource, sys
from bot.detect import effort
from bot.detect.engine import detect
from bot.detect.source import DictSource
from bot.review.compare import compare
from bot.review.hunks import whole_file
from bot.review.model import Change
kind, files, effort.MOST = pickle.load(open(sys.argv[1], "rb"))
if kind == "compare":
    changes = [Change(None, p, whole_file(text.count(b"\\n"))) for p, text in files.items()]
    review = compare(DictSource({}), DictSource(files), changes)
    grants = [one.grant for one in review.findings]
    unknowns = review.unknowns
elif kind == "each":
    every = [detect(path, DictSource(files)) for path in files]
    grants = [grant for one in every for grant in one.grants]
    unknowns = [unknown for one in every for unknown in one.unknowns]
else:
    found = detect(kind, DictSource(files), effort.MOST)
    grants, unknowns = found.grants, found.unknowns
try:  # of this program alone; ru_maxrss remembers what ran before exec
    memory = next(l for l in open("/proc/self/status") if l.startswith("VmHWM:")).split()[1]
except OSError:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({
    "memory": int(memory) / 1024,
    "grants": [[g.path, g.line, g.text] for g in grants],
    "unknowns": [[u.path, u.line, u.mentions] for u in unknowns],
}))
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    memory: float  # MB at most
    grants: list[list[object]]  # path, line, text
    unknowns: list[list[object]]  # path, line, what is mentioned


def run(folder: Path, kind: str, files: dict[str, bytes], most: int = effort.MOST) -> Outcome:
    """Detect the file called `kind`, or "each", or "compare" everything with nothing.

    `most` is the effort that one file may take.
    """
    data = folder / "input"
    data.write_bytes(pickle.dumps((kind, files, most)))
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(data)],
        capture_output=True, check=False, timeout=_HANG, text=True,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    outcome = Outcome(**json.loads(done.stdout))
    assert outcome.memory < _MOST_MEMORY
    return outcome


def told(outcome: Outcome) -> list[object]:
    """Return the lines on which something is said, found or unknown."""
    return [one[1] for one in (*outcome.grants, *outcome.unknowns)]


def test_an_alias_bomb_hides_nothing(tmp_path: Path) -> None:
    bomb = ["x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    bomb += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    service = f"services:\n  web:\n    image: a\n    labels: *a9\n    volumes:\n      - {_SOCKET}\n"
    outcome = run(
        tmp_path, "compose.yaml", {"compose.yaml": f"{chr(10).join(bomb)}\n{service}".encode()}
    )
    assert told(outcome) == [len(bomb) + 6]


def test_a_bomb_of_merge_keys_hides_nothing(tmp_path: Path) -> None:
    bomb = ["x-0: &a0 {k: v}"]
    bomb += [f"x-{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 10)]
    service = f"services:\n  web:\n    <<: *a9\n    volumes:\n      - {_SOCKET}\n"
    outcome = run(
        tmp_path, "compose.yaml", {"compose.yaml": f"{chr(10).join(bomb)}\n{service}".encode()}
    )
    assert told(outcome) == [len(bomb) + 5]


@pytest.mark.parametrize(
    ("path", "opening", "closing"),
    [
        ("compose.yaml", "[", "]"),
        ("compose.yaml", "{a: ", "}"),
        ("deploy.yaml", "[", "]"),
        (".github/workflows/a.yml", "[", "]"),
        (".devcontainer/devcontainer.json", '{"a": [', "]}"),
        ("config.toml", "[", "]"),
        ("main.tf", "a {\n", "}\n"),
        ("a.nomad", "a {\n", "}\n"),
        ("script.sh", "$(", ")"),
        ("script.sh", "(", ")"),
        ("Jenkinsfile", "{", "}"),
        ("Dockerfile", "RUN $(", ")"),
        (".drone.jsonnet", "[", "]"),
        ("a.nix", "{ a = ", "; }"),
        ("a.nix", "[ (", ") ]"),
    ],
)
def test_ten_thousand_levels_of_nesting(
    tmp_path: Path, path: str, opening: str, closing: str
) -> None:
    deep = f"{opening * 10_000}{closing * 10_000}\n"
    run(tmp_path, path, {path: deep.encode()})
    run(tmp_path, path, {path: deep.removesuffix(f"{closing}\n").encode()})


def test_nesting_by_indentation_does_not_hide_the_socket(tmp_path: Path) -> None:
    deep = "".join(f"{' ' * n}a:\n" for n in range(2_000))
    text = f"services:\n  web:\n    volumes:\n      - {_SOCKET}\nx-deep:\n{deep}"
    outcome = run(tmp_path, "compose.yaml", {"compose.yaml": text.encode()})
    assert told(outcome) == [4]


def test_nesting_in_brackets_does_not_hide_the_socket(tmp_path: Path) -> None:
    deep = f"x-deep: {'[' * 10_000}{']' * 10_000}\n"
    text = f"{deep}services:\n  web:\n    volumes:\n      - {_SOCKET}\n"
    outcome = run(tmp_path, "compose.yaml", {"compose.yaml": text.encode()})
    assert told(outcome) == [5]


@pytest.mark.parametrize("path", ["compose.yaml", "Dockerfile", "script.sh"])
def test_a_line_of_twenty_megabytes(tmp_path: Path, path: str) -> None:
    quiet = b"# first\n" + b"a" * 20_000_000
    assert told(run(tmp_path, path, {path: quiet})) == []
    named = b"# first\n" + b"a " * 5_000_000 + _SOCKET.encode() + b" b" * 5_000_000
    assert run(tmp_path, path, {path: named}).unknowns == [[path, 2, "docker.sock"]]


@pytest.mark.parametrize("path", ["compose.yaml", "Dockerfile", "script.sh"])
def test_a_line_just_short_enough_to_be_read(tmp_path: Path, path: str) -> None:
    """What is read is read in bounds too, not only what is refused for its size."""
    run(tmp_path, path, {path: b"# first\n" + b"a " * 3_900_000})


def test_a_binary_called_dockerfile(tmp_path: Path) -> None:
    binary = b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 40
    assert told(run(tmp_path, "Dockerfile", {"Dockerfile": binary})) == []
    named = binary + b"\n\n/var/run/docker.sock"
    found = run(tmp_path, "Dockerfile", {"Dockerfile": named})
    assert found.unknowns == [["Dockerfile", named.count(b"\n") + 1, "docker.sock"]]


def test_three_thousand_changed_files(tmp_path: Path) -> None:
    quiet = b"services:\n  web:\n    image: nginx:1\n    volumes:\n      - data:/data\n"
    files = {f"stack{n}/compose.yaml": quiet for n in range(3_000)}
    files["stack7/compose.yaml"] = quiet.replace(b"data:/data", _SOCKET.encode())
    outcome = run(tmp_path, "compare", files)
    assert outcome.grants == [["stack7/compose.yaml", 5, f"      - {_SOCKET}"]]


def test_five_megabytes_of_compose_file(tmp_path: Path) -> None:
    block = "  web{}:\n    image: nginx:1\n    environment:\n      A: 'one'\n      B: two\n"
    services: list[str] = []
    size = 0
    while size < 5_000_000:
        services.append(block.format(len(services)))
        size += len(services[-1])
    text = f"services:\n{''.join(services)}  last:\n    volumes:\n      - {_SOCKET}\n"
    outcome = run(tmp_path, "compose.yaml", {"compose.yaml": text.encode()})
    assert told(outcome) == [text.count("\n")]


# What a pattern over a whole file could take for a start again and again.
_RUNS = [
    (path, piece)
    for path, pieces in {
        "a/x.yaml": (
            " ",
            "a:",
            '"',
            "${",
            "{{",
            "version: 2\n",
            "commands:\n",
            "- ",
            "docker",
            "\n",
        ),
        "a/compose.yaml": (" ", "a:", '"', "${", "/..", "docker", "-h ", "&a ", "\n"),
        "a/.circleci/config.yml": ("version: 2\n", "commands:\n", "<< "),
        "a/templates/x.yaml": ("{{", "{{/*", "- ", "\n"),
        "a/values.yaml": ("\n", "- \n"),
        "a/.teamcity/p.xml": ("<!--", '<param name="a"><![CDATA[', "<runner ", "<param "),
        "a/.teamcity/p.kts": ("{", '"', "/*", "\n"),
        "a/x.hcl": ("\n", "job ", '"', "${"),
        "a/x.container": ("\n", "[", " "),
        "a/bake.hcl": ("\n", "target ", "${"),
        "a/x.tf": ("\n", "${", '"', "<<A\n"),
        "a/x.json": ("{", '"', "[", '"a":', "/*", "\n"),
        "a/Vagrantfile": ("\n", "<<A\n", '"'),
    }.items()
    for piece in pieces
]


def test_no_pattern_starts_again_and_again(tmp_path: Path) -> None:
    files = {
        f"{number}/{path}": (piece * (300_000 // len(piece))).encode()
        for number, (path, piece) in enumerate(_RUNS)
    }
    assert told(run(tmp_path, "each", files)) == []


_COMPOSE = f"# {{}}\nservices:\n  web:\n    image: nginx:1\n    volumes:\n      - {_SOCKET}\n"


@pytest.mark.parametrize(
    "inside",
    ["\r", "a\rb", "a\fb", "a\u2028b", "a\u2029b", "a\x0bb", "a\x1cb", "é\U0001f600"],
    ids=ascii,
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=ascii)
def test_the_line_is_gits_whatever_stands_inside_lines(inside: str, ends: str) -> None:
    text = _COMPOSE.format(inside).replace("\n", ends)
    _found_on(text.encode(), 6)


def test_next_line_inside_a_line_is_no_line() -> None:
    _found_on(_COMPOSE.format("a\u0085b").encode(), 6)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_the_line_is_the_same_in_every_encoding(encoding: str) -> None:
    _found_on(_COMPOSE.format("plain").encode(encoding), 6)


def _found_on(data: bytes, line: int) -> None:
    found = detect("compose.yaml", DictSource({"compose.yaml": data}))
    assert [grant.line for grant in found.grants] == [line], found.unknowns
    assert found.grants[0].text.strip() == f"- {_SOCKET}"


@pytest.mark.parametrize("inside", ["a\fb", "a\u2028b", "a\u0085b", "a\x0bb"], ids=ascii)
def test_the_line_of_a_shell_script_is_gits(inside: str) -> None:
    data = f"#!/bin/sh\n# {inside}\necho '{inside}'\ndocker run -v {_SOCKET} app\n".encode()
    found = detect("script.sh", DictSource({"script.sh": data}))
    assert [grant.line for grant in found.grants] == [4]


@pytest.mark.parametrize("inside", ["a\rb", "a\fb", "a\u2028b", "a\u0085b"], ids=ascii)
def test_the_line_of_a_dockerfile_is_gits(inside: str) -> None:
    data = f"FROM alpine\n# {inside}\nLABEL a='{inside}'\nVOLUME /var/run/docker.sock\n".encode()
    found = detect("Dockerfile", DictSource({"Dockerfile": data}))
    assert [grant.line for grant in found.grants] == [4]


def test_a_large_file_of_tasks_is_read_where_it_names_a_socket() -> None:
    tasks = "".join(f"  t{n}:\n    description: {'what it does ' * 6}\n" for n in range(2_000))
    run = "  scan:\n    cmds:\n      - docker run -v " + _SOCKET + " scan\n"
    text = f"tasks:\n{tasks}{run}"
    assert len(text) > 128_000
    (found,) = detect("tasks.yml", DictSource({"tasks.yml": text})).grants
    assert found.line == text.count("\n")


@pytest.mark.parametrize(
    ("path", "before", "piece"),
    [
        ("over.conf", "", "# note\n"),
        ("over.conf", "", " \n"),
        ("over.conf", "", " "),
        ("justfile", "a ", "a "),
        ("justfile", "a ", "a"),
        ("justfile", "a", " "),
        ("justfile", "a := ", "'a' + "),
        ("justfile", "a := ", '"'),
        ("supervisord.conf", "[program:a]\nenvironment=", "a"),
        ("supervisord.conf", "[program:a]\nenvironment=", "a=b,"),
        ("Procfile", "", "a"),
        ("a.nix", "a = ", "''"),
        ("a.nix", 'a = "', "${"),
        ("a.nix", "a = ", '"'),
        ("a.nix", "", "a."),
        ("a.nix", "", "{ a = [ ("),
        ("a.nix", "", "let a = "),
        ("a.nix", "", "with a "),
        ("a.nix", "", "/* "),
        ("a.nix", 'v = "', "${a."),
        ("pod.j2", "apiVersion: v1\nkind: Pod\n", "{{ "),
        ("app.json", '{"container": {"docker": {}}, "captainVersion": 4, "a": ', "{{#a}}"),
        (".travis.yml", "env:\n", "  - A=b DOCKER_HOST=tcp://a:2375\n"),
        ("tasks.yml", "command:\n", '  "docker run -v /run/docker.sock:/s a":\n'),
    ],
)
def test_a_hundred_thousand_of_the_same(tmp_path: Path, path: str, before: str, piece: str) -> None:
    text = f"{before}{piece * 100_000}\n# {_SOCKET}\n"
    run(tmp_path, path, {path: text.encode()})


_MANY = 2_000
_LITTLE = 500_000  # units of effort, so that the tests are soon done
_LAST = f"docker run -v {_SOCKET} last"


def _lines(template: str) -> str:
    return "".join(template.format(n=n) for n in range(_MANY))


# A few lines that stand for millions of steps, containers or mounts, none of which matters, and the
# grant after them. (path, text before the grant, the grant's line and what follows it)
_MULTIPLIED = [
    (
        ".github/workflows/a.yml",
        "on: push\nx: &x\n"
        + _lines("  - run: echo docker {n}\n")
        + "jobs:\n"
        + _lines("  j{n}: {{runs-on: a, env: {{A: b{n}}}, steps: *x}}\n")
        + "  last:\n    steps:\n",
        f"      - run: {_LAST}\n",
    ),
    (
        ".gitlab-ci.yml",
        ".base:\n  script:\n"
        + _lines("    - docker run -v ./:/app app{n}\n")
        + _lines("j{n}: {{extends: .base, variables: {{A: b{n}}}}}\n")
        + "last:\n  script:\n",
        f"    - {_LAST}\n",
    ),
    (
        "azure-pipelines.yml",
        "x: &x\n"
        + _lines("  - script: echo docker {n}\n")
        + "jobs:\n"
        + _lines("- {{job: j{n}, steps: *x}}\n")
        + "- job: last\n  steps:\n",
        f"  - script: {_LAST}\n",
    ),
    (
        ".circleci/config.yml",
        "version: 2.1\nx: &x\n"
        + _lines("  - run: echo docker {n}\n")
        + "jobs:\n"
        + _lines("  j{n}: {{docker: [{{image: a}}], steps: *x}}\n")
        + "  last:\n    steps:\n",
        f"      - run: {_LAST}\n",
    ),
    (
        ".travis.yml",
        "x: &x\n"
        + _lines("  - docker run -v ./:/app app{n}\n")
        + "jobs:\n  include:\n"
        + _lines("    - {{script: *x, env: A=b{n}}}\n"),
        f"    - script: {_LAST}\n",
    ),
    (
        "bitbucket-pipelines.yml",
        "x: &x\n"
        + _lines("  - docker run -v ./:/app app{n}\n")
        + "pipelines:\n  default:\n"
        + _lines("    - step: {{name: s{n}, script: *x}}\n")
        + "    - step:\n        script:\n",
        f"          - {_LAST}\n",
    ),
    (
        "pods.yaml",
        "x: &x\n"
        + _lines("  - {{name: v{n}, hostPath: {{path: /data/{n}}}}}\n")
        + "apiVersion: v1\nkind: List\nitems:\n"
        + _lines(
            "- {{apiVersion: v1, kind: Pod, spec: {{containers: [{{name: a}}], volumes: *x}}}}\n"
        )
        + "- apiVersion: v1\n  kind: Pod\n  spec:\n    containers:\n    - name: a\n"
        "      volumeMounts: [{name: s, mountPath: /s}]\n    volumes:\n",
        "    - {name: s, hostPath: {path: /run/docker.sock}}\n",
    ),
    (
        "compose.yaml",
        "x: &x\n"
        + _lines("  - {{type: bind, source: /run/a{n}.sock, target: /a{n}}}\n")
        + "services:\n"
        + _lines("  s{n}: {{image: a, volumes: *x}}\n")
        + "  last:\n    volumes:\n",
        f"      - {_SOCKET}\n",
    ),
]


@pytest.mark.parametrize(
    ("path", "before", "grant"), _MULTIPLIED, ids=[path for path, *_ in _MULTIPLIED]
)
def test_what_multiplies_is_followed_so_far_and_then_said_to_be_unknown(
    tmp_path: Path, path: str, before: str, grant: str
) -> None:
    outcome = run(tmp_path, path, {path: (before + grant).encode()}, _LITTLE)
    assert told(outcome) == [before.count("\n") + 1]


def test_a_change_shares_the_effort_of_a_few_files(tmp_path: Path) -> None:
    path, before, grant = _MULTIPLIED[6]
    files = {f"{n}/{path}": (before + grant).encode() for n in range(12)}
    assert len(run(tmp_path, "compare", files, _LITTLE).unknowns) == 12


# What is too long to be read to its end, and mounts a directory there: nothing names a socket.
_PADDED = [
    ("compose.yaml", "services:\n  a:\n    volumes:\n      - /:/host\n", "# note\n", 9_000_000),
    ("Jenkinsfile", "node { docker.image('a').inside('-v /:/host') {} }\n", "f(a);\n", 560_000),
    (
        ".drone.star",
        (
            "def main(ctx):\n  return {'kind': 'pipeline', 'steps': [{'name': 'a', 'image': 'b', "
            "'volumes': [{'name': 's', 'path': '/s'}]}], "
            "'volumes': [{'name': 's', 'host': {'path': '/'}}]}\n"
        ),
        "a = 1\n",
        610_000,
    ),
    (
        ".teamcity/settings.kts",
        (
            'object B : BuildType({\n  steps {\n    script {\n      scriptContent = "make"\n'
            '      dockerImage = "a"\n      dockerRunParameters = "-v /:/host"\n    }\n  }\n})\n'
        ),
        "val a = b\n",
        900_000,
    ),
    (
        "Vagrantfile",
        (
            'Vagrant.configure("2") do |config|\n  config.vm.provision "docker" do |d|\n'
            '    d.run "a", args: "-v /:/host"\n  end\nend\n'
        ),
        "# a\n",
        100_000,
    ),
]


@pytest.mark.parametrize(
    ("path", "grant", "padding", "size"), _PADDED, ids=[path for path, *_ in _PADDED]
)
def test_what_is_not_read_to_its_end_is_unknown(
    tmp_path: Path, path: str, grant: str, padding: str, size: int
) -> None:
    text = padding * (size // len(padding)) + grant
    assert told(run(tmp_path, path, {path: text.encode()}))
    assert told(run(tmp_path, path, {path: (grant + padding * 10).encode()}))


def test_a_zero_byte_hides_no_script() -> None:
    data = b"#!/bin/sh\necho a\0b\ndocker run -v /:/host app\n"
    (found,) = detect("run.sh", DictSource({"run.sh": data})).grants
    assert found.line == 3
