"""The App's credentials in one file of DATA_DIR, which only the server's user can read."""

import json
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

NAME = "github-app.json"
_FORM = 1  # of the file; a newer one is refused
_NUMBER = "app_id"


class StoreError(Exception):
    """Why credentials cannot be read or stored, in one sentence."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What GitHub told of the App when it was created, and where both are to be found."""

    app_id: int
    slug: str
    name: str
    owner: str  # the account that it belongs to
    page: str  # its page on GitHub
    api_url: str
    public_url: str  # of this server, without a slash at the end
    client_id: str
    client_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    private_key: str = field(repr=False)  # PEM


def read(data_dir: Path, read_file: Callable[[Path], str] = Path.read_text) -> Credentials | None:
    """Return what is stored, None where nothing is. Raises StoreError."""
    file = data_dir / NAME
    try:
        text = read_file(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise StoreError(f"{file} cannot be read: {reason}.") from error
    try:
        stored = json.loads(text)
    except ValueError as error:
        raise StoreError(f"{file} is damaged: it is not JSON.") from error
    if not isinstance(stored, dict) or stored.pop("form", None) != _FORM:
        raise StoreError(f"{file} was not written by this version of sockgate.")
    kinds = {one.name: int if one.name == _NUMBER else str for one in fields(Credentials)}
    wrong = [name for name, kind in kinds.items() if type(stored.get(name)) is not kind]
    if wrong or len(stored) != len(kinds):
        raise StoreError(f"{file} is damaged: {', '.join(wrong) or 'it has more than it should'}.")
    return Credentials(**stored)


def write(data_dir: Path, credentials: Credentials) -> None:
    """Store credentials: whole or not at all, and never readable by others. Raises StoreError."""
    text = json.dumps({"form": _FORM, **asdict(credentials)}, indent=1) + "\n"
    _put(data_dir, NAME, text)


def check(data_dir: Path) -> None:
    """Try whether credentials could be stored: a code of GitHub's is good only once.

    Raises StoreError, also where there are some already: nobody's are replaced.
    """
    if (data_dir / NAME).exists():
        raise StoreError(f"{data_dir / NAME} is there already: start the server again to use it.")
    trial = f".{NAME}.trial"
    _put(data_dir, trial, "")
    (data_dir / trial).unlink(missing_ok=True)


def is_private(data_dir: Path) -> bool:
    """Say whether nobody but the owner of the file may read it. Raises OSError."""
    mode = (data_dir / NAME).stat().st_mode
    return not mode & (stat.S_IRWXG | stat.S_IRWXO)


def _put(data_dir: Path, name: str, text: str) -> None:
    part = data_dir / f".{name}.{secrets.token_hex(8)}"
    try:
        if not data_dir.is_dir():
            data_dir.mkdir(parents=True, mode=0o700)
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(data_dir / name)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        _sync(data_dir)
    except OSError as error:
        raise StoreError(f"{data_dir / name} cannot be written: {error.strerror}.") from error


def _sync(folder: Path) -> None:
    """Make a rename survive a loss of power."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
