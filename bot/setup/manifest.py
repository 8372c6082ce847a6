"""`app.yml`, as the manifest that GitHub creates an App from.

GitHub Docs, "Registering a GitHub App from a manifest".
"""

import json
import secrets
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from bot.setup.edition import Edition

CREATED, SETUP, CALLBACK, WEBHOOK = "/setup/created", "/setup", "/auth/callback", "/webhook"
_LONGEST_NAME = 34  # GitHub Docs, "Registering a GitHub App"


@dataclass(frozen=True, slots=True)
class Wish:
    """What whoever sets up asks for."""

    edition: Edition
    organization: str  # empty for the own account
    public_url: str  # where GitHub reaches this server
    own_origin: str  # where the browser reaches it


def needs() -> dict[str, Any]:
    """Read `app.yml`: inside an installed package, or beside the package in its repository."""
    inside = files("bot") / "app.yml"
    text = inside.read_text("utf-8") if inside.is_file() else _beside().read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def manifest(wish: Wish) -> str:
    """Return the manifest as JSON. Its name is a proposal: names are unique on a GitHub."""
    asked = needs()
    tail = wish.organization.lower() or secrets.token_hex(3)
    return json.dumps(
        {
            **asked,
            "name": f"{asked['name']}-{tail}"[:_LONGEST_NAME].rstrip("-"),
            "url": wish.public_url,
            "public": False,
            "hook_attributes": {"url": wish.public_url + WEBHOOK, "active": True},
            "redirect_url": wish.own_origin + CREATED,
            "setup_url": wish.public_url + SETUP,
            "callback_urls": [wish.public_url + CALLBACK],
        }
    )


def new_app(wish: Wish, state: str) -> str:
    """Return the address that takes the manifest."""
    owner = f"/organizations/{wish.organization}" if wish.organization else ""
    return f"{wish.edition.web}{owner}/settings/apps/new?{urlencode({'state': state})}"


def _beside() -> Path:
    return Path(__file__).parents[2] / "app.yml"
