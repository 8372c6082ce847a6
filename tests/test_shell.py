from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.detect.shell import Reach, Script, Value, docker_options, interpret, interpret_argv

CASES = Path(__file__).parent / "shell_cases"
FIELDS = ("line", "command", "image", "resource", "how", "severity", "words")


def cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


def environment(given: Mapping[str, Any]) -> dict[str, str | Value]:
    return {
        name: Value(value["text"], value["line"]) if isinstance(value, dict) else str(value)
        for name, value in given.items()
    }


def told(reach: Reach) -> dict[str, Any]:
    """The fields of a reach as a case spells them."""
    fields: dict[str, Any] = {name: getattr(reach, name) for name in FIELDS}
    fields["how"], fields["severity"] = reach.how.value, reach.severity.value
    fields["steps"], fields["extent"] = list(reach.steps), list(reach.extent)
    fields["undermines"] = [list(one) for one in reach.undermines]
    return fields


@pytest.mark.parametrize("case", list(cases()))
def test_case(case: Mapping[str, Any]) -> None:
    first = case.get("first_line", 1)
    script = Script.at(case["script"], first)
    found = interpret(script, environment(case.get("env", {})), dialect=case.get("dialect", "sh"))
    lines = case["script"].split("\n")
    expected = [dict(one) for one in case["expected"]]
    for one in expected:
        said = str(one.pop("says", ""))
        assert said in lines[one["line"] - first], "the case counts its lines wrong"
    found_fields = [told(reach) for reach in found]
    wanted_fields = [
        {name: reach[name] for name in want}
        for reach, want in zip(found_fields, expected, strict=False)
    ]
    assert (wanted_fields, len(found)) == (expected, len(expected)), found


def test_case_names_are_different() -> None:
    names = [case.id for case in cases()]
    assert len(names) == len(set(names))


def test_a_command_in_exec_form() -> None:
    words = ["docker", "run", "-v", "/var/run/docker.sock:/s", "--user", "1000", "tool:1"]
    (reach,) = interpret_argv([(word, 10 + number) for number, word in enumerate(words)])
    assert (reach.line, reach.steps, reach.extent) == (13, (13,), (10, 16))
    assert (reach.command, reach.image, reach.resource) == ("docker run", "tool", "docker")
    assert reach.undermines == (("--user 1000", 14),)


def test_no_shell_reads_the_exec_form_but_a_shell_in_it_does() -> None:
    env = {"SOCK": Value("/var/run/docker.sock", 2)}
    assert interpret_argv([("echo", 5), ("docker run -v /var/run/docker.sock:/s x", 5)], env) == ()
    assert interpret_argv([("docker", 5), ("run", 5), ("-v", 5), ("$SOCK:/s", 5)], env) == ()
    (reach,) = interpret_argv([("sh", 5), ("-c", 6), ('docker run -v "$SOCK":/s x', 7)], env)
    assert (reach.line, reach.steps) == (7, (2, 7))


def test_an_entrypoint_that_is_a_relay() -> None:
    argv = [("socat", 13), ("TCP-LISTEN:2375,fork", 13), ("UNIX-CLIENT:/var/run/docker.sock", 13)]
    (reach,) = interpret_argv(argv)
    assert (reach.line, reach.command, reach.how.value) == (13, "socat", "relay")


def test_options_without_a_command() -> None:
    text = "--user 1001\n-v /var/run/docker.sock:/var/run/docker.sock\n-v /tmp:/tmp"
    (reach,) = docker_options(Script.at(text, 7), "node:20")
    assert (reach.line, reach.command, reach.image) == (8, "docker create", "node")
    assert (reach.undermines, reach.extent) == ((("--user 1001", 7),), (7, 9))


def test_options_in_folded_and_split_form() -> None:
    flat = docker_options(Script.flat("--volume /var/run/docker.sock:/s --rm", 4), None)
    assert [(reach.line, reach.image) for reach in flat] == [(4, None)]
    words = [("-v", 3), ("/var/run/docker.sock:/s", 4), ("--privileged", 5)]
    assert [reach.line for reach in docker_options(words, "x")] == [4]
    assert docker_options(words[2:], "x") == ()
    assert docker_options([], "x") == ()
    assert docker_options(Script.flat("", 1), "x") == ()


def test_options_take_the_variables_of_the_file() -> None:
    (reach,) = docker_options(
        Script.flat("-v ${SOCK}:/s", 9), "${IMAGE}", {"SOCK": Value("/run/docker.sock", 2)}
    )
    assert (reach.line, reach.steps, reach.image) == (9, (2, 9), "${IMAGE}")


def test_lines_that_the_caller_gives_are_kept() -> None:
    script = Script("docker run \\\n-v /var/run/docker.sock:/s \\\nx", (4, 9, 11))
    (reach,) = interpret(script)
    assert (reach.line, reach.extent) == (9, (4, 11))


def test_too_few_lines_do_no_harm() -> None:
    (reach,) = interpret(Script("true\ndocker run -v /var/run/docker.sock:/s x", (4,)))
    assert reach.line == 4
