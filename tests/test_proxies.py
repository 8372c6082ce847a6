"""What a socket proxy leaves open: one true sentence, read from its own settings."""

import re

import pytest

from bot.detect.source import DictSource
from bot.publish.comment import finding_comment
from bot.review.compare import compare
from bot.review.hunks import whole_file
from bot.review.model import Change, Finding
from bot.review.proxies import leaves_open, proxies
from tests.kinds import HELD
from tests.test_comment import shown

TECNATIVA = "ghcr.io/tecnativa/docker-socket-proxy:v0.4.2"
LINUXSERVER = "lscr.io/linuxserver/socket-proxy:3.4.4"
WOLLOMATIC = "wollomatic/socket-proxy:1"
ROOT = "can create a container that mounts the host's /, which is root on the host"
READS = "create and change nothing, but read every container's configuration"
LIFECYCLE = "at most start, stop or restart containers"


def found(service: str, image: str = TECNATIVA, **more: str) -> Finding:
    text = (
        f"services:\n  proxy:\n    image: {image}\n{service}"
        "    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']\n"
    )
    files = {"compose.yaml": text} | {name.replace("_", "."): text for name, text in more.items()}
    hunks = whole_file(text.count("\n"))
    review = compare(DictSource({}), DictSource(files), [Change(None, "compose.yaml", hunks)])
    [one] = review.findings
    return one


def variables(*names: str) -> str:
    return "    environment:\n" + "".join(f"      {name}: 1\n" for name in names)


@pytest.mark.parametrize(
    ("service", "image", "said"),
    [
        ("", TECNATIVA, "nothing but the daemon's version"),
        (variables("CONTAINERS"), TECNATIVA, READS),
        (variables("CONTAINERS"), LINUXSERVER, READS),
        (variables("INFO", "IMAGES"), TECNATIVA, "read IMAGES, INFO, and change nothing"),
        (variables("POST", "CONTAINERS"), TECNATIVA, f"POST=1 with CONTAINERS=1: .* {ROOT}"),
        ("    environment: [POST=true, CONTAINERS=yes]\n", LINUXSERVER, ROOT),
        ("    environment: [POST=0, CONTAINERS=1]\n", LINUXSERVER, READS),
        ("    environment: {POST: false, CONTAINERS: true}\n", LINUXSERVER, READS),
        (variables("POST", "PLUGINS"), TECNATIVA, "PLUGINS=1: .* root on the host"),
        (variables("POST", "SERVICES"), TECNATIVA, "Swarm manager.* root on the hosts"),
        (variables("POST", "EXEC"), LINUXSERVER, "EXEC=1: .* run commands in any container"),
        (variables("POST", "EXEC"), TECNATIVA, "change what is under EXEC"),
        (variables("POST", "IMAGES"), TECNATIVA, "change what is under IMAGES"),
        (variables("POST"), TECNATIVA, "no section worth one"),
        (variables("ALLOW_START", "CONTAINERS"), LINUXSERVER, rf"{LIFECYCLE} \(ALLOW_START=1\)"),
        (variables("ALLOW_STOP", "ALLOW_RESTARTS", "POST"), TECNATIVA, LIFECYCLE),
        (variables("CONTAINERS") + "    ports: ['2375:2375']\n", TECNATIVA, r"host \(2375:2375\)"),
        (
            variables("INFO") + "    ports: [{target: 2375, published: 99}, {target: 1}]\n",
            TECNATIVA,
            r"host \(99, a port of its choice\)",
        ),
        ("", WOLLOMATIC, "read what its allowlists match, and no more"),
        ("    command: ['-allowGET=.*']\n", WOLLOMATIC, "read what its allowlists match"),
        ("    command: ['-allowPOST=.*']\n", WOLLOMATIC, ROOT),
        ("    command: -listenip=0.0.0.0 '-allowPOST=/v1\\..*/containers/.*'\n", WOLLOMATIC, ROOT),
        ("    command: ['-allowPOST=/containers/(create|[a-z]+/start)']\n", WOLLOMATIC, ROOT),
        ("    environment: ['SP_ALLOW_POST=.*']\n", WOLLOMATIC, ROOT),
        (
            "    environment: ['SP_ALLOW_POST=.*']\n    command: ['-allowPOST=/x/start']\n",
            WOLLOMATIC,
            "start, stop or restart containers",
        ),
        ("    command: ['-allowPOST=/exec/[a-z0-9]+/start']\n", WOLLOMATIC, "run commands"),
        ("    command: ['-allowPOST=/images/create']\n", WOLLOMATIC, "see that none of them"),
    ],
)
def test_each_setting_is_said_in_one_sentence(service: str, image: str, said: str) -> None:
    one = found(service, image)
    assert re.search(said, one.leaves_open), one.leaves_open


def test_settings_from_other_files_count() -> None:
    by_file = found("    env_file: app.env\n", app_env="POST=1\nCONTAINERS=1\n")
    assert ROOT in by_file.leaves_open
    by_variable = found("    environment: {POST: '${WRITE}', CONTAINERS: 1}\n", _env="WRITE=1\n")
    assert ROOT in by_variable.leaves_open


def test_the_comment_on_a_proxy_says_what_it_leaves_open_and_advises_no_other_proxy() -> None:
    text = shown(finding_comment(found(variables("POST", "CONTAINERS")), HELD))
    assert "What it leaves open: This proxy has POST=1 with CONTAINERS=1" in text.replace(
        "\u2060", ""
    ).replace("&amp;", "&")
    assert "put a filtering socket proxy" not in text
    assert "docker-socket-justified" in text


def test_hostile_ports_are_harmless() -> None:
    one = found("    ports: ['@acme/security`<b>:1']\n")
    body = finding_comment(one, HELD)
    assert "@acme/security" not in body
    assert "<b>" not in body


def test_a_service_of_another_name_or_image_is_no_proxy() -> None:
    one = found(variables("POST"), "acme/socket-proxy")
    assert one.leaves_open == ""
    assert proxies("compose.yaml", DictSource({})) == ()


@pytest.mark.parametrize("given", ["{POST: $X}", "{POST: }", "[POST]", "['POST=$X']"])
def test_what_the_files_do_not_say_is_not_certain(given: str) -> None:
    text = f"services:\n  p:\n    image: {TECNATIVA}\n    environment: {given}\n"
    [proxy] = proxies("compose.yaml", DictSource({"compose.yaml": text}))
    assert "not all of its settings stand in the file" in leaves_open(proxy)
    assert not proxy.only_reads
