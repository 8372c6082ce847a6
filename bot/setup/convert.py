"""The code of a manifest -> the credentials of the App that GitHub created from it.

REST, "Create a GitHub App from a manifest". A code is good once, for an hour, and for whoever has
it, so it goes to no other host than the one that was asked, and into no log.
"""

import json
import re
from typing import Any

import requests
import urllib3
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot import __version__
from bot.setup.edition import Edition
from bot.setup.store import Credentials

_SECONDS = 20
_LARGEST = 1024 * 1024
_CODE = re.compile(r"[0-9A-Za-z_-]{1,200}")
_SLUG = re.compile(r"[0-9A-Za-z_.-]{1,100}")


class ConversionError(Exception):
    """Why there are no credentials, in a sentence for whoever sets up."""


def convert(edition: Edition, code: str, public_url: str) -> Credentials:
    """Exchange the code. Raises ConversionError."""
    if not _CODE.fullmatch(code):
        raise ConversionError("GitHub's answer has no usable code in it.")
    try:
        with requests.post(
            f"{edition.api}/app-manifests/{code}/conversions",
            headers={
                "Accept": "application/vnd.github+json",
                "User-Agent": f"sockgate/{__version__}",
            },
            timeout=_SECONDS,
            allow_redirects=False,
            stream=True,
        ) as answer:
            status, body = answer.status_code, answer.raw.read(_LARGEST, decode_content=True)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise ConversionError(
            f"{edition.api} could not be asked for the App's credentials ({type(error).__name__})."
        ) from error
    if status == 404:
        raise ConversionError(
            "GitHub does not know this code any more: a code is good once, and for an hour."
        )
    if status != 201:
        raise ConversionError(f"GitHub did not hand out the App's credentials (status {status}).")
    try:
        return _credentials(json.loads(body), edition, public_url)
    except (KeyError, TypeError, ValueError) as error:
        raise ConversionError(
            "GitHub's answer lacks what makes up an App's credentials."
        ) from error


def _credentials(answer: Any, edition: Edition, public_url: str) -> Credentials:
    key = _text(answer["pem"])
    if not isinstance(load_pem_private_key(key.encode(), password=None), RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - the answer is at fault
    if type(answer["id"]) is not int or answer["id"] < 1:
        raise ValueError("no id")
    slug = _text(answer["slug"])
    if not _SLUG.fullmatch(slug):
        raise ValueError("no slug")
    return Credentials(
        app_id=answer["id"],
        slug=slug,
        name=_text(answer["name"]),
        owner=_text(answer["owner"]["login"]),
        page=_page(_text(answer["html_url"]), edition, slug),
        api_url=edition.api,
        public_url=public_url,
        client_id=_text(answer["client_id"]),
        client_secret=_text(answer["client_secret"]),
        webhook_secret=_text(answer["webhook_secret"]),
        private_key=key,
    )


def _page(given: str, edition: Edition, slug: str) -> str:
    """Return the App's page; where GitHub names another host, the one that it has by its form."""
    return given if given.startswith(edition.web + "/") else f"{edition.web}/apps/{slug}"


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("empty")
    return value
