"""The environment, read once at start -> Settings, or every problem with it at once.

The names are those that authors of GitHub Apps know. An empty value counts as unset. What the
set-up page stored in DATA_DIR stands in where the environment has no credentials at all.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.setup import store
from bot.setup.edition import PUBLIC_API, is_loopback, origin_of, split, web_of
from bot.setup.store import Credentials, StoreError

PUBLIC_GITHUB = PUBLIC_API
_T = TypeVar("_T")

LEVELS = ("debug", "info", "warning", "error")
_CREDENTIALS = (
    "APP_ID",
    "PRIVATE_KEY",
    "PRIVATE_KEY_PATH",
    "WEBHOOK_SECRET",
    "CLIENT_ID",
    "CLIENT_SECRET",
)


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
    keep_days: int = 7  # that finished jobs are remembered
    client_id: str = ""  # for signing in; empty where nobody can
    client_secret: str = field(default="", repr=False)
    public_url: str = ""  # where people and GitHub reach this server; empty where unknown

    @property
    def web_url(self) -> str:
        """Where the pages of this GitHub are."""
        return web_of(self.api_url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Collect what must never be printed."""
        password = urlsplit(self.database_url).password
        given = (self.private_key, *self.webhook_secrets, self.client_secret, password or "")
        return tuple(secret for secret in given if secret)


@dataclass(frozen=True, slots=True)
class Problems:
    """Why there are no settings, each in one sentence.

    `unset` where nothing is wrong but that no App is set up yet.
    """

    sentences: tuple[str, ...]
    unset: "Unset | None" = None


@dataclass(frozen=True, slots=True)
class Unset:
    """What is known before there is an App."""

    data_dir: Path
    host: str
    port: int
    log_level: str
    api_url: str  # empty where it is not given
    public_url: str


def read(
    environment: Mapping[str, str], read_file: Callable[[Path], str] = Path.read_text
) -> Settings | Problems:
    """Read the environment; all that is wrong with it is said at once."""
    reader = _Reader(environment, read_file)
    data_dir = Path(reader.value("DATA_DIR", "data"))
    stored = reader.stored(data_dir)
    found = _found(stored) if stored else reader.given()
    missing = len(reader.problems)
    settings = Settings(
        app_id=found.app_id,
        private_key=found.private_key,
        webhook_secrets=found.webhook_secrets,
        api_url=reader.api_url(stored),
        database_url=reader.database_url(data_dir),
        data_dir=data_dir,
        host=reader.value("HOST", "127.0.0.1"),
        port=reader.port(),
        log_level=reader.log_level(),
        keep_days=reader.keep_days(),
        client_id=found.client_id,
        client_secret=found.client_secret,
        public_url=reader.public_url(stored),
    )
    if not reader.problems:
        return settings
    problems = tuple(reader.problems)
    if len(problems) > missing or any(map(reader.value, _CREDENTIALS)) or reader.unreadable:
        return Problems(problems)
    return Problems(
        problems,
        Unset(
            data_dir,
            settings.host,
            settings.port,
            settings.log_level,
            reader.value("GITHUB_API_URL") and settings.api_url,
            settings.public_url,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    app_id: int
    private_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)


def database_url(environment: Mapping[str, str]) -> str | Problems:
    """Read only where the database is: all that a command needs which asks nothing of GitHub."""
    reader = _Reader(environment, Path.read_text)
    url = reader.database_url(Path(reader.value("DATA_DIR", "data")))
    return Problems(tuple(reader.problems)) if reader.problems else url


def _found(stored: Credentials) -> _Found:
    return _Found(
        stored.app_id,
        stored.private_key,
        (stored.webhook_secret,),
        stored.client_id,
        stored.client_secret,
    )


class _Reader:
    """One pass over the environment; a value that is wrong becomes a problem and a placeholder."""

    def __init__(self, environment: Mapping[str, str], read_file: Callable[[Path], str]) -> None:
        self.problems: list[str] = []
        self.unreadable = False  # there are stored credentials, but they cannot be used
        self._environment = environment
        self._read_file = read_file

    def value(self, name: str, default: str = "") -> str:
        return self._environment.get(name, "").strip() or default

    def stored(self, data_dir: Path) -> Credentials | None:
        """Return what the set-up page stored, where the environment leaves it to that."""
        given = [name for name in _CREDENTIALS if self.value(name)]
        try:
            stored = store.read(data_dir, self._read_file)
        except StoreError as error:
            self.unreadable = True
            return None if given else self._problem(str(error), None)
        if not given or stored is None:
            return stored
        missing = [
            name
            for name in ("APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET")
            if name not in given and f"{name}_PATH" not in given
        ]
        if missing:
            file = data_dir / store.NAME
            self.problems.append(
                f"{', '.join(given)} would go together with {file}, which holds the credentials "
                f"of the App {stored.slug}: set {', '.join(missing)} too, or none of them."
            )
        return None

    def given(self) -> _Found:
        """Return the credentials of the environment."""
        if self.unreadable and not any(map(self.value, _CREDENTIALS)):
            return _Found(0, "", (), "", "")
        client_id, client_secret = self.value("CLIENT_ID"), self.value("CLIENT_SECRET")
        found = _Found(
            self.number("APP_ID", "the number on the App's settings page"),
            self.private_key(),
            self.webhook_secrets(),
            client_id,
            client_secret,
        )
        if bool(client_id) != bool(client_secret):
            self.problems.append("CLIENT_ID and CLIENT_SECRET go together: set both, or none.")
        return found

    def number(self, name: str, what: str) -> int:
        text = self.value(name)
        if not text:
            return self._problem(f"{name} is missing: {what}.", 0)
        if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
            return self._problem(f"{name} has to be {what}, not {text!r}.", 0)
        return int(text)

    def keep_days(self) -> int:
        text = self.value("KEEP_DAYS", "7")
        if text.isascii() and text.isdigit() and 4 <= int(text[:5]) <= 3650:
            return int(text)
        # GitHub redelivers what is up to three days old: it has to be known for longer.
        what = "a number of days between 4 and 3650"
        return self._problem(f"KEEP_DAYS has to be {what}, not {text!r}.", 7)

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

    def api_url(self, stored: Credentials | None) -> str:
        default = stored.api_url if stored else PUBLIC_GITHUB
        text = self.value("GITHUB_API_URL", default).rstrip("/")
        if stored and text != stored.api_url:
            return self._problem(
                f"GITHUB_API_URL is {text}, but the stored App {stored.slug} lives at "
                f"{stored.api_url}.",
                "",
            )
        url = split(text)
        if url is None or url.scheme not in {"http", "https"} or not url.hostname:
            what = f"an address such as {PUBLIC_GITHUB} or https://HOST/api/v3"
            return self._problem(f"GITHUB_API_URL has to be {what}, not {text!r}.", "")
        if url.username or url.password or url.query or url.fragment:
            return self._problem("GITHUB_API_URL has to be an address and nothing more.", "")
        if url.scheme == "http" and not is_loopback(url.hostname):
            return self._problem(
                "GITHUB_API_URL has to be https: tokens would travel in the clear.", ""
            )
        return text

    def database_url(self, data_dir: Path) -> str:
        text = self.value("DATABASE_URL", f"sqlite:///{data_dir / 'sockgate.sqlite'}")
        url = split(text)
        scheme = url.scheme if url else ""
        if scheme == "sqlite" and len(text) > len("sqlite:///") and text.startswith("sqlite:///"):
            return text
        if url and scheme in {"postgres", "postgresql", "postgresql+psycopg"}:
            return "postgresql+psycopg" + text.removeprefix(scheme)
        return self._problem(
            "DATABASE_URL has to be postgresql://USER:PASSWORD@HOST/NAME or sqlite:///FILE.", ""
        )

    def public_url(self, stored: Credentials | None) -> str:
        text = self.value("PUBLIC_URL")
        if not text:
            return stored.public_url if stored else ""
        origin = origin_of(text)
        if origin is None:
            return self._problem(
                f"PUBLIC_URL has to be https://HOST, without a path, not {text!r}.", ""
            )
        return origin

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
