"""The safer way for one grant."""

import pytest

from bot.detect.grant import Grant, How
from bot.review.advice import advise, known_tool, proxy_sections


def grant(image: str | None, how: How = How.MOUNT) -> Grant:
    return Grant("compose.yaml", 1, "", "service x", image, "docker", how)


@pytest.mark.parametrize(
    "image",
    ["traefik", "traefik:v3", "docker.io/library/traefik@sha256:0", "ghcr.io/traefik/traefik:3"],
)
def test_a_tool_is_known_by_every_spelling_of_its_image(image: str) -> None:
    tool = known_tool(image)
    assert tool is not None
    assert tool.name == "traefik"
    assert tool.proxy_helps
    assert proxy_sections(tool) == ("CONTAINERS",)


def test_advice_says_where_no_proxy_helps() -> None:
    advice = advise(grant("portainer/portainer-ce:2"))
    assert advice.tool is not None
    assert not advice.tool.proxy_helps
    assert "stays root on the host" in advice.remains


@pytest.mark.parametrize("how", list(How))
def test_there_is_advice_for_every_kind_of_grant(how: How) -> None:
    advice = advise(grant(None, how))
    assert advice.tool is None
    assert advice.summary.endswith(".")
