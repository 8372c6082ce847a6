"""Which GitHub: where its pages are, and where its API is.

GitHub Docs, "Getting started with the REST API": api.github.com; HOST/api/v3 on GitHub Enterprise
Server; api.SUBDOMAIN.ghe.com on GitHub Enterprise Cloud with data residency.
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

PUBLIC_WEB, PUBLIC_API = "https://github.com", "https://api.github.com"
_RESIDENT = ".ghe.com"
_ENTERPRISE = "/api/v3"


@dataclass(frozen=True, slots=True)
class Edition:
    """One GitHub. Neither address ends in a slash."""

    web: str
    api: str


PUBLIC = Edition(PUBLIC_WEB, PUBLIC_API)


def edition(address: str) -> Edition | None:
    """Return the GitHub at an address of its pages or its API; None where that is no address."""
    origin = origin_of(address.strip().rstrip("/").removesuffix(_ENTERPRISE))
    if origin is None:
        return None
    host = urlsplit(origin).hostname or ""
    if host in {"github.com", "www.github.com", "api.github.com"}:
        return PUBLIC
    if host.endswith(_RESIDENT):
        name = host.removeprefix("api.")
        return Edition(f"https://{name}", f"https://api.{name}")
    return Edition(origin, origin + _ENTERPRISE)


def web_of(api_url: str) -> str:
    """Return where the pages of the GitHub with this API are."""
    if api_url == PUBLIC_API:
        return PUBLIC_WEB
    host = urlsplit(api_url).hostname or ""
    if host.startswith("api.") and host.endswith(_RESIDENT):
        return f"https://{host.removeprefix('api.')}"
    return api_url.removesuffix(_ENTERPRISE)


def origin_of(address: str) -> str | None:
    """Return an address of nothing but scheme, host and port; None where there is more or less.

    Only https, but for loopback: what is sent there is secret.
    """
    url = split(address.strip())
    if url is None or not url.hostname or url.username is not None or url.password is not None:
        return None
    if url.path not in {"", "/"} or url.query or url.fragment or any(map(_is_odd, address.strip())):
        return None
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.hostname)):
        return None
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    return f"{url.scheme}://{host}" + (f":{url.port}" if url.port is not None else "")


def split(address: str) -> SplitResult | None:
    """Take an address apart; None where it is none."""
    try:
        url = urlsplit(address)
        _ = url.port
    except ValueError:
        return None
    return url


def is_loopback(host: str) -> bool:
    """Say whether a host's name or number means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_odd(letter: str) -> bool:
    """Whether a letter has no place in an address: it might end a header or a policy early."""
    return not (letter.isascii() and (letter.isalnum() or letter in "-._:/[]"))
