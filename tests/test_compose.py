"""What of Compose files is not a matter of one case: variables, files, bounds, spellings."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detect.compose.dotenv import read_dotenv
from bot.detect.compose.interpolation import Variable, interpolate
from bot.detect.compose.project import beside
from bot.detect.engine import detect
from bot.detect.format import Format, formats
from bot.detect.grant import Grant, Step, Unknown
from bot.detect.source import DictSource

COMPOSE: Format = next(form for form in formats() if form.name == "compose")
HERE = (Step(".env", 1),)
SET = {
    "SET": Variable("value", HERE),
    "EMPTY": Variable("", HERE),
    "OTHER": Variable("other", (Step(".env", 2),)),
}


def found(files: dict[str, str], path: str = "compose.yml") -> list[Grant | Unknown]:
    assert COMPOSE.matches(path, files[path])
    return list(COMPOSE.grants(path, DictSource(files)))


def service(body: str, rest: str = "") -> dict[str, str]:
    return {"compose.yml": f"services:\n  a:\n    image: x\n    {body}\n{rest}"}


def resources(files: dict[str, str], path: str = "compose.yml") -> list[str]:
    return [one.resource for one in found(files, path) if isinstance(one, Grant)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("plain", "plain"),
        ("$SET", "value"),
        ("${SET}/x", "value/x"),
        ("${SET:-d}", "value"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${UNSET-d}", "d"),
        ("${UNSET:-${OTHER}}", "other"),
        ("${UNSET:-${GONE:-{}}}", "{}"),
        ("${SET:?say}", "value"),
        ("${UNSET:?say}", "${UNSET}"),
        ("${EMPTY:?say}", "${EMPTY}"),
        ("${EMPTY?say}", ""),
        ("${SET:+r}", "r"),
        ("${EMPTY:+r}", ""),
        ("${EMPTY+r}", "r"),
        ("${UNSET:+r}", "r"),
        ("$UNSET ${UNSET}", "$UNSET ${UNSET}"),
        ("$$SET $${SET}", "$SET ${SET}"),
        ("${SET", "${SET"),
        ("${SET!x}", "${SET!x}"),
        ("${{ github.sha }} $(id) $", "${{ github.sha }} $(id) $"),
    ],
)
def test_a_variable_becomes_what_compose_makes_of_it(written: str, meant: str) -> None:
    assert interpolate(written, SET).text == meant


def test_the_variables_that_had_a_part_are_known() -> None:
    said = interpolate("${SET:-x} ${UNSET:-$OTHER} $SET", SET)
    assert [variable.text for variable in said.variables] == ["value", "other"]


@given(st.text(alphabet="$ {}:-+?AB\\\n", max_size=60))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    said = interpolate(text, {"A": Variable("a", HERE)})
    assert "$" in text or said.text == text


def test_deeply_nested_defaults_end() -> None:
    deep = "${A:-" * 5_000 + "x" + "}" * 5_000
    assert len(interpolate(deep, {}).text) <= len(deep)


def test_an_env_file_is_read_as_compose_reads_it() -> None:
    text = r"""# no=1
PLAIN=value # comment
export QUOTED='it is # no comment'
DOUBLE="a\tb $PLAIN \$PLAIN"
YAML: style
EMPTY=
ONLY=#comment
USES=${PLAIN}/${QUOTED:-x}
SINGLE='$PLAIN'
MORE="two
lines"
no assignment
LAST=1"""
    read = read_dotenv("a/.env", text, {})
    assert {name: variable.text for name, variable in read.items()} == {
        "PLAIN": "value",
        "QUOTED": "it is # no comment",
        "DOUBLE": "a\tb value $PLAIN",
        "YAML": "style",
        "EMPTY": "",
        "ONLY": "",
        "USES": "value/it is # no comment",
        "SINGLE": "$PLAIN",
        "MORE": "two\nlines",
        "LAST": "1",
    }
    assert read["USES"].steps == (Step("a/.env", 2), Step("a/.env", 3), Step("a/.env", 8))
    assert read["LAST"].steps == (Step("a/.env", 13),)


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("x.yml", "a/x.yml"),
        ("./x.yml", "a/x.yml"),
        ("../x.yml", "x.yml"),
        ("..\\x.yml", "x.yml"),
        ("../../x.yml", None),
        ("/x.yml", None),
        ("~/x.yml", None),
        ("https://example.com/x.yml", None),
        ("git@example.com:x.yml", None),
        ("${X}.yml", None),
        ("", None),
        ("..", None),
    ],
)
def test_only_files_of_the_commit_are_referred_to(path: str, where: str | None) -> None:
    assert beside("a", path) == where


@pytest.mark.parametrize(
    "source",
    [
        "/var/run/docker.sock",
        "/run/docker.sock.raw",
        "/var/run",
        "/var",
        "/run/",
        "/",
        "//",
        "/.",
        "/etc/..",
        "/run/user/1000",
        "/run/containerd",
        "/volume1/docker",
        "/var/snap/microk8s/common/run",
        "~/.docker/run",
        "~/.orbstack/run",
        "~/.colima",
        "~/.rd",
        "/root/.lima",
        "$XDG_RUNTIME_DIR",
        "/proc/1/root",
        "../../../../run",
        "//./pipe/docker_engine",
        "${X:-/}",
        "/${X:-run}",
    ],
)
@pytest.mark.parametrize("form", ["volumes: ['{}:/x']", "volumes: [{{source: '{}', target: /x}}]"])
def test_the_look_at_the_text_beforehand_loses_no_source(source: str, form: str) -> None:
    assert resources(service(form.format(source)))


def test_the_look_at_the_text_beforehand_sees_through_escapes() -> None:
    assert resources(service('volumes: ["\\x2fvar\\x2f\\u0072un:/x"]')) == ["/run"]


def test_a_variable_alone_may_hold_the_root() -> None:
    files = {**service("volumes: ['$A:/x']"), ".env": "A=/\n"}
    assert resources(files) == ["/"]


def test_references_name_all_that_the_meaning_depends_on() -> None:
    text = """
include:
  - a/one.yml
  - path: [b/two.yml, b/three.yml]
    project_directory: p
    env_file: [x.env]
  - https://example.com/four.yml
services:
  web:
    extends: {file: ../common.yml, service: base}
    env_file:
      - web.env
      - path: more.env
  db:
    extends: web
    env_file: db.env
"""
    assert set(COMPOSE.references("d/stack.yml", text)) == {
        "d/.env", "d/a/one.yml", "d/a/.env", "d/b/two.yml", "d/b/three.yml", "d/p/.env", "d/x.env",
        "common.yml", "d/web.env", "d/more.env", "d/db.env",
    }  # fmt: skip


def test_a_default_file_refers_to_those_that_are_merged_with_it() -> None:
    named = set(COMPOSE.references("compose.yaml", "services: {}\n"))
    assert {".env", "compose.override.yml", "docker-compose.override.yaml"} <= named
    assert "compose.yaml" not in named
    assert set(COMPOSE.references("x/.env", "COMPOSE_FILE=a.yml:../b.yml\n")) == {
        "x/a.yml",
        "b.yml",
    }


@pytest.mark.parametrize(
    ("path", "text", "read"),
    [
        ("docker-compose.yml", "", True),
        ("docker-compose.prod.yaml", "", True),
        ("deploy/web.compose.yml", "", True),
        ("compose.yaml.tpl", "", True),
        ("docker-compose.sigil", "", True),
        ("compose.json", "", True),
        (".github/docker-compose.yml", "", True),
        ("stack.yml", "", True),
        ("traefik.yml", "services:\n", True),
        ("traefik.yml", "http:\n", False),
        (".env", "COMPOSE_FILE=a.yml\n", True),
        (".env", "A=1\n", False),
        ("composer.json", "{}", False),
        ("README.compose.md", "services:\n", False),
        (".github/workflows/docker-compose.yml", "services:\n", False),
        (".gitlab-ci.yml", "services:\n", False),
        (".woodpecker/test.yml", "services:\n", False),
        ("k8s.yml", "kind: List\nservices:\n", False),
    ],
)
def test_files_are_known_by_name_or_by_what_they_say(path: str, text: str, read: bool) -> None:  # noqa: FBT001
    assert COMPOSE.matches(path, text) is read


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nservices:\n  a: {image: x, volumes: ['/run/docker.sock:/x']}\n",
        "services:\n  - image: x\n    volumes: ['/run/docker.sock:/x']\n",
        "services: /run/docker.sock\n",
        "- /run/docker.sock:/x\n",
        "services:\n  a: /run/docker.sock\n  b: [/run/docker.sock]\n",
        "steps: []\nservices:\n  a: {image: x, volumes: ['/run/docker.sock:/x']}\n",
        "web: {image: {name: x}, volumes: ['/run/docker.sock:/x']}\n",
        "",
    ],
)
def test_other_kinds_of_files_say_nothing_under_a_compose_name(text: str) -> None:
    assert found({"compose.yml": text}) == []


def test_a_long_chain_of_extends_hides_nothing() -> None:
    chain = "".join(f"  s{n}:\n    extends: s{n + 1}\n" for n in range(2_000))
    text = f"services:\n{chain}  s2000:\n    image: x\n    volumes: ['/run/docker.sock:/x']\n"
    grants = found({"compose.yml": text})
    assert len(grants) == 2_001


def test_more_than_is_followed_is_said() -> None:
    volumes = "".join(f"      - ./{n}:/{n}\n" for n in range(2_000))
    many = "".join(f"  s{n}:\n    extends: a\n" for n in range(400))
    files = {
        "compose.yml": f"services:\n  a:\n    image: x\n    volumes:\n{volumes}"
        f"      - /run/docker.sock:/x\n{many}"
    }
    started = time.process_time()
    unknown = detect("compose.yml", DictSource(files)).unknowns
    assert [one.digest != "" for one in unknown] == [True]
    assert time.process_time() - started < 60


def test_includes_that_include_each_other_end() -> None:
    files = {
        f"{n}/compose.yml": f"include: [../{n + 1}/compose.yml, ../{n + 2}/compose.yml]\n"
        f"services:\n  s{n}: {{image: x, volumes: ['/run/docker.sock:/x']}}\n"
        for n in range(40)
    }
    files["39/compose.yml"] += "include: [../0/compose.yml]\n"
    assert resources(files, "0/compose.yml")


def test_aliases_and_merges_that_multiply_cost_nothing() -> None:
    lists = "".join(f"x{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 10))
    maps = "".join(
        f"y{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}], k{n}: 1}}\n" for n in range(1, 10)
    )
    text = (
        f"x0: &l0 [a]\n{lists}y0: &m0 {{k: 1}}\n{maps}services:\n"
        "  a:\n    <<: *m9\n    image: x\n    volumes: *l9\n    labels: *l9\n    command: *l9\n"
        "  b:\n    image: x\n    labels: *l9\n    volumes: ['/run/docker.sock:/x']\n"
    )
    started = time.process_time()
    assert resources({"compose.yml": text}) == ["docker"]
    assert time.process_time() - started < 5


def test_a_broken_file_that_cannot_be_understood_is_said() -> None:
    files = {"compose.yml": "services:\n  a:\n    image: x\n    volumes: ['/run/docker.sock:/x\n"}
    assert [type(one) for one in found(files)] == [Unknown]


names = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.none() | st.sampled_from(["/run/docker.sock:/x", "", "$A", "x", "1"]),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["source", "target", "type", "file", "service", "command", "test", "o"]
            ),
            below,
            max_size=3,
        )
    ),
    max_leaves=5,
)
keys = st.sampled_from(
    ["image", "volumes", "extends", "environment", "env_file", "secrets", "configs", "command",
     "entrypoint", "healthcheck", "post_start", "develop", "provider", "build", "networks", "links",
     "volumes_from", "user", "cap_drop", "security_opt", "deploy", "ulimits", "use_api_socket",
     "tmpfs", "container_name", "network_mode", "read_only"]
)  # fmt: skip
tops = st.fixed_dictionaries(
    {"services": st.dictionaries(names, st.dictionaries(keys, values, max_size=5), max_size=3)},
    optional={"include": values, "volumes": st.dictionaries(names, values, max_size=2),
              "secrets": values, "networks": values},
)  # fmt: skip


@settings(deadline=None)
@given(
    tops, tops, st.sampled_from(["", "A=/run/docker.sock\n", "COMPOSE_FILE=compose.yml:b.yml\n"])
)
def test_no_shape_is_too_odd_to_be_read(top: object, over: object, env: str) -> None:
    files = {
        "compose.yml": json.dumps(top),
        "compose.override.yml": json.dumps(over),
        "b.yml": json.dumps(over),
        ".env": env,
    }
    source = DictSource(files)
    for path, text in files.items():
        if COMPOSE.matches(path, text):
            for one in COMPOSE.grants(path, source):
                assert isinstance(one, Grant | Unknown)
            assert all(isinstance(name, str) for name in COMPOSE.references(path, text))
