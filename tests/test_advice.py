"""The safer way for one grant."""

from dataclasses import replace
from importlib.resources import files

import pytest
import yaml

from bot.detect.grant import Grant, How
from bot.review.advice import advise, known_tool, proxy_sections, without_a_proxy_fix

IMAGES: list[str] = [
    image
    for tool in yaml.safe_load(files("bot.review").joinpath("tools.yaml").read_text("utf-8"))
    for image in tool["images"]
]


def grant(image: str | None, how: How = How.MOUNT) -> Grant:
    return Grant("compose.yaml", 1, "", "service x", image, "docker", how)


@pytest.mark.parametrize(
    "image",
    [
        "traefik",
        "traefik:v3",
        "docker.io/library/traefik@sha256:0",
        "index.docker.io/library/traefik",
        "public.ecr.aws/docker/library/traefik:3",
        "mirror.gcr.io/library/traefik",
        "mirror.gcr.io/traefik/traefik",
        "ghcr.io/traefik/traefik:3",
    ],
)
def test_a_tool_is_known_by_every_spelling_of_its_image(image: str) -> None:
    tool = known_tool(image)
    assert tool is not None
    assert tool.name == "traefik"
    assert tool.proxy_helps
    assert proxy_sections(tool) == ("CONTAINERS",)


def test_an_image_that_says_nothing_of_what_runs_in_it_is_not_taken_for_a_tool() -> None:
    advice = advise(grant("maven:3"))
    assert advice.tool is None
    assert advice.summary.startswith("Ask first whether it needs the daemon at all.")
    assert "If it is for tests with Testcontainers: Run tests directly" in advice.summary


def test_advice_says_where_no_proxy_helps() -> None:
    advice = advise(grant("portainer/portainer-ce:2"))
    assert advice.tool is not None
    assert not advice.tool.proxy_helps
    assert "no proxy setting makes this tool harmless" in advice.remains


def test_a_build_without_a_daemon_is_not_called_root_on_the_host() -> None:
    assert "stays root" not in advise(grant("docker")).remains


@pytest.mark.parametrize("resource", ["containerd", "crio"])
def test_nobody_is_sent_to_a_proxy_that_does_not_speak_the_runtimes_language(resource: str) -> None:
    one = replace(grant(None), resource=resource)
    assert "No proxy filters this socket" in advise(one).summary


def test_a_folder_that_holds_the_socket_is_to_be_narrowed_first() -> None:
    assert advise(grant(None, How.DIRECTORY)).summary.startswith("Mount the files or the folder")


@pytest.mark.parametrize("how", list(How))
def test_there_is_advice_for_every_kind_of_grant(how: How) -> None:
    advice = advise(grant(None, how))
    assert advice.tool is None
    assert advice.summary.endswith(".")


def test_how_many_no_proxy_helps_is_counted() -> None:
    some, known = without_a_proxy_fix()
    assert 0 < some < known
    remains = advise(grant("portainer/portainer-ce")).remains
    assert f"{some} of the {known} tools" in remains


def test_an_endpoint_names_the_proxy_and_no_tool_that_needs_nothing_has_one() -> None:
    tools = {tool for image in IMAGES if (tool := known_tool(image)) is not None}
    assert any(tool.endpoint for tool in tools)
    for tool in tools:
        assert not (tool.endpoint and tool.needs_nothing)
        assert not tool.needs_nothing or (not tool.sections and tool.residual == "none")
        assert not tool.endpoint or tool.endpoint.endswith("=tcp://PROXY")
        assert not tool.endpoint or tool.proxy_helps
