"""The environment, read once at start -> Settings, or every problem with it at once.

The names are those that authors of GitHub Apps know. An empty value counts as unset.
"""

import base64
import binascii
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

PUBLIC_GITHUB = "https://api.github.com"
_T = TypeVar("_T")

LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a server needs to know. Secrets are left out of the printed form."""

    app_id: int
    private_key: str = field(repr=False)  # PEM
    webhook_secrets: tuple[str, ...] = field(repr=False)
    api_url: str = PUBLIC_GITHUB
    database_url: str = field(default="sqlite:///data/sockgate.sqlite", repr=False)
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 3000
    log_level: str = "info"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Collect what must never be printed."""
        password = urlsplit(self.database_url).password
        return (self.private_key, *self.webhook_secrets, *([password] if password else []))


@dataclass(frozen=True, slots=True)
class Problems:
    """Why there are no settings, each in one sentence."""

    sentences: tuple[str, ...]


def read(
    environment: Mapping[str, str], read_file: Callable[[Path], str] = Path.read_text
) -> Settings | Problems:
    """Read the environment; all that is wrong with it is said at once."""
    reader = _Reader(environment, read_file)
    data_dir = Path(reader.value("DATA_DIR", "data"))
    settings = Settings(
        app_id=reader.number("APP_ID", "the number on the App's settings page"),
        private_key=reader.private_key(),
        webhook_secrets=reader.webhook_secrets(),
        api_url=reader.api_url(),
        database_url=reader.database_url(data_dir),
        data_dir=data_dir,
        host=reader.value("HOST", "127.0.0.1"),
        port=reader.port(),
        log_level=reader.log_level(),
    )
    return Problems(tuple(reader.problems)) if reader.problems else settings


def database_url(environment: Mapping[str, str]) -> str | Problems:
    """Read only where the database is: all that a command needs which asks nothing of GitHub."""
    reader = _Reader(environment, Path.read_text)
    url = reader.database_url(Path(reader.value("DATA_DIR", "data")))
    return Problems(tuple(reader.problems)) if reader.problems else url


class _Reader:
    """One pass over the environment; a value that is wrong becomes a problem and a placeholder."""

    def __init__(self, environment: Mapping[str, str], read_file: Callable[[Path], str]) -> None:
        self.problems: list[str] = []
        self._environment = environment
        self._read_file = read_file

    def value(self, name: str, default: str = "") -> str:
        return self._environment.get(name, "").strip() or default

    def number(self, name: str, what: str) -> int:
        text = self.value(name)
        if not text:
            return self._problem(f"{name} is missing: {what}.", 0)
        if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
            return self._problem(f"{name} has to be {what}, not {text!r}.", 0)
        return int(text)

    def private_key(self) -> str:
        given, path = self.value("PRIVATE_KEY"), self.value("PRIVATE_KEY_PATH")
        if given and path:
            return self._problem("PRIVATE_KEY and PRIVATE_KEY_PATH are both set: keep one.", "")
        if not given and not path:
            return self._problem(
                "PRIVATE_KEY or PRIVATE_KEY_PATH is missing: "
                "the PEM file that the App's settings page generates.",
                "",
            )
        name = "PRIVATE_KEY" if given else "PRIVATE_KEY_PATH"
        try:
            text = given or self._read_file(Path(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            return self._problem(f"PRIVATE_KEY_PATH: {path} cannot be read: {reason}.", "")
        key = _pem(text)
        try:
            loaded = load_pem_private_key(key.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return self._problem(
                f"{name} is not a private key in PEM form "
                "(with real or escaped line ends, or in base64) without a password.",
                "",
            )
        if not isinstance(loaded, RSAPrivateKey):
            return self._problem(f"{name} is not an RSA key, the kind GitHub generates.", "")
        return key

    def webhook_secrets(self) -> tuple[str, ...]:
        secrets = tuple(part.strip() for part in self.value("WEBHOOK_SECRET").split(","))
        if all(secrets):
            return secrets
        if not any(secrets):
            return self._problem(
                "WEBHOOK_SECRET is missing: the secret set in the App's settings, "
                "or several, separated by commas.",
                (),
            )
        return self._problem("WEBHOOK_SECRET has an empty part between its commas.", ())

    def api_url(self) -> str:
        text = self.value("GITHUB_API_URL", PUBLIC_GITHUB).rstrip("/")
        url = _split(text)
        if url is None or url.scheme not in {"http", "https"} or not url.hostname:
            what = f"an address such as {PUBLIC_GITHUB} or https://HOST/api/v3"
            return self._problem(f"GITHUB_API_URL has to be {what}, not {text!r}.", "")
        if url.username or url.password or url.query or url.fragment:
            return self._problem("GITHUB_API_URL has to be an address and nothing more.", "")
        if url.scheme == "http" and not _is_loopback(url.hostname):
            return self._problem(
                "GITHUB_API_URL has to be https: tokens would travel in the clear.", ""
            )
        return text

    def database_url(self, data_dir: Path) -> str:
        text = self.value("DATABASE_URL", f"sqlite:///{data_dir / 'sockgate.sqlite'}")
        url = _split(text)
        scheme = url.scheme if url else ""
        if scheme == "sqlite" and len(text) > len("sqlite:///") and text.startswith("sqlite:///"):
            return text
        if url and scheme in {"postgres", "postgresql", "postgresql+psycopg"}:
            return "postgresql+psycopg" + text.removeprefix(scheme)
        return self._problem(
            "DATABASE_URL has to be postgresql://USER:PASSWORD@HOST/NAME or sqlite:///FILE.", ""
        )

    def port(self) -> int:
        port = self.number("PORT", "a port from 1 to 65535") if self.value("PORT") else 3000
        if port > 65535:
            return self._problem(f"PORT has to be a port from 1 to 65535, not {port}.", 0)
        return port

    def log_level(self) -> str:
        level = self.value("LOG_LEVEL", "info").lower()
        if level not in LEVELS:
            return self._problem(f"LOG_LEVEL has to be one of {', '.join(LEVELS)}.", "info")
        return level

    def _problem(self, sentence: str, instead: _T) -> _T:
        self.problems.append(sentence)
        return instead


def _pem(text: str) -> str:
    """Undo what environments do to a PEM file: line ends written as letters, base64 around it."""
    text = text.strip()
    if "-----BEGIN" not in text:
        try:
            text = base64.b64decode("".join(text.split()), validate=True).decode().strip()
        except (binascii.Error, UnicodeDecodeError):
            return ""
    text = text.replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n")
    return text.strip() + "\n"


def _split(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
