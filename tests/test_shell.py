from collections.abc import Iterator, Mapping
from pathlib import Path
from time import process_time
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detect.shell import Reach, Script, Value, docker_options, interpret, interpret_argv

Dialect = Literal["sh", "powershell", "cmd"]

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


SCRIPTS = [case.values[0]["script"] for case in cases()]


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


FRAGMENTS = st.sampled_from(
    [
        *"'\"\\$`;&|<>(){}#![]=:-/ \n\r\t",
        *["docker", "run", "-v", "/var/run/docker.sock", ":/s", "$SOCK", "${X:-", "}", "$(", "<<E"],
        *["\nE\n", "if", "then", "fi", "case", "in", "esac", "for", "do", "done", "f()", "\\\n"],
        *[
            "sh -c",
            "echo",
            "export DOCKER_HOST=tcp://h:2375",
            "A+=(",
            "${A[@]}",
            "set --",
            "{{",
            "}}",
        ],
        *[
            "eval",
            "sudo",
            "ssh h",
            "curl --unix-socket",
            "| sh",
            ">> $GITHUB_ENV",
            "socat",
            "é\u2028",
        ],
    ]
)
DIALECTS: tuple[Dialect, ...] = ("sh", "powershell", "cmd")
ANY_TEXT = st.one_of(st.text(), st.lists(FRAGMENTS, max_size=60).map("".join))


def holds(script: Script, dialect: Dialect) -> None:
    for reach in interpret(script, {"SOCK": "/run/docker.sock"}, dialect=dialect):
        assert reach.line in script.lines
        assert set(reach.steps) <= set(script.lines)
        assert reach.extent[0] <= reach.extent[1]
        assert reach.command


@given(ANY_TEXT, st.sampled_from(DIALECTS))
@settings(max_examples=80, deadline=None)
def test_no_text_raises_and_lines_are_lines_of_the_script(text: str, dialect: Dialect) -> None:
    holds(Script.at(f"docker run -v /run/docker.sock:/s x\n{text}", 3), dialect)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_mutation_of_a_real_script_raises(data: st.DataObject) -> None:
    script = data.draw(st.sampled_from(SCRIPTS))
    start = data.draw(st.integers(0, len(script)))
    end = data.draw(st.integers(start, min(len(script), start + 20)))
    text = script[:start] + data.draw(st.lists(FRAGMENTS, max_size=5).map("".join)) + script[end:]
    holds(Script.at(text, 1), data.draw(st.sampled_from(DIALECTS)))


QUOTES = st.sampled_from(["{}", "'{}'", '"{}"', "$'{}'"])
GAPS = st.sampled_from([" ", "  ", " \\\n  ", "\t", " \\\r\n"])
WORDS = ["docker", "run", "--rm", "-v", "/var/run/docker.sock:/var/run/docker.sock", "tool:1", "ls"]


@given(
    st.lists(QUOTES, min_size=len(WORDS), max_size=len(WORDS)),
    st.lists(GAPS, min_size=len(WORDS), max_size=len(WORDS)),
    st.sampled_from(["{}", "sudo {}", "true && {}", "( {} )", "if x; then {}; fi", "x=$({})"]),
)
@settings(max_examples=60, deadline=None)
def test_quotes_gaps_and_surroundings_change_nothing(
    quotes: list[str], gaps: list[str], around: str
) -> None:
    command = "".join(
        quote.format(word) + gap for quote, word, gap in zip(quotes, WORDS, gaps, strict=True)
    )
    (reach,) = interpret(Script.at(around.format(command), 1))
    said = around.format(command).split("\n")[reach.line - 1]
    assert "docker.sock" in said
    assert (reach.image, reach.resource) == ("tool", "docker")
    assert reach.words == " ".join(WORDS).replace("tool:1", "tool")


GRANT = "docker run -v /var/run/docker.sock:/s x"
HOSTILE = {
    "one long line": "a" * 5_000_000 + "docker.sock",
    "one long line of commands": f"{GRANT}; " * 3_000,
    "very many commands": f"{GRANT}\n" * 2_000,
    "open substitutions": GRANT + "\n" + "$( " * 20_000,
    "open expansions": GRANT + "\n" + "${a:-" * 20_000,
    "open quotes": GRANT + "\n" + '"' * 50_001,
    "open templates": GRANT + "\n" + "${{ " * 20_000 + "{{ " * 20_000,
    "deep substitutions": "$(" * 10_000 + GRANT + ")" * 10_000,
    "deep groups": "{ " * 10_000 + GRANT + "; }" * 10_000,
    "deep conditions": "if " * 10_000 + GRANT,
    "a variable that doubles": "X=xx\n" + "X=$X$X\n" * 60 + f"docker run $X y\n{GRANT}",
    "an array that doubles": "A=(x)\n" + 'A=("${A[@]}" "${A[@]}")\n' * 60 + GRANT,
    "text that runs itself": 'C="eval \\"\\$C \\$C\\""\neval $C\n' + GRANT,
    "functions that call each other": "\n".join(
        f'f{n}() {{ f{n + 1} "$@"; f{n + 1} "$@"; }}' for n in range(100)
    )
    + f"\nf0 docker\n{GRANT}",
    "branches upon branches": "\n".join(f'if x; then X="$X -v {n}"; fi' for n in range(300))
    + f"\ndocker run $X y\n{GRANT}",
    "very many here-documents": f"sh <<E\n{GRANT}\nE\n" * 1_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_costs_a_bounded_time_and_hides_nothing(name: str) -> None:
    for dialect in DIALECTS:
        started = process_time()
        found = interpret(Script.at(HOSTILE[name], 1), dialect=dialect)
        assert process_time() - started < 20
        assert found or name == "one long line" or dialect != "sh"


def test_text_without_a_hint_is_passed_over_fast() -> None:
    script = Script.at("make test && docker build -t app . && ./deploy.sh --env prod\n" * 2_000, 1)
    started = process_time()
    for _ in range(10):
        assert interpret(script) == ()
    assert process_time() - started < 1
