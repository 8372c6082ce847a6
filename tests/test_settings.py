"""The environment -> Settings, or every problem at once."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from bot import settings
from bot.settings import Problems, Settings


def pem(key: PrivateKeyTypes, lock: KeySerializationEncryption | None = None) -> str:
    form = PrivateFormat.TraditionalOpenSSL if lock is None else PrivateFormat.PKCS8
    return key.private_bytes(Encoding.PEM, form, lock or NoEncryption()).decode()


RSA = rsa.generate_private_key(65537, 2048)
KEY = pem(RSA)
GIVEN = {"APP_ID": "12345", "PRIVATE_KEY": KEY, "WEBHOOK_SECRET": "hush"}


def read(**changed: str) -> Settings:
    found = settings.read(GIVEN | changed)
    assert isinstance(found, Settings), found
    return found


def problems(environment: dict[str, str]) -> tuple[str, ...]:
    found = settings.read(environment)
    assert isinstance(found, Problems)
    return found.sentences


def problem(**changed: str) -> str:
    (only,) = problems(GIVEN | changed)
    return only


def test_three_values_are_enough() -> None:
    assert read() == Settings(
        app_id=12345,
        private_key=KEY,
        webhook_secrets=("hush",),
        api_url="https://api.github.com",
        database_url="sqlite:///data/sockgate.sqlite",
        data_dir=Path("data"),
        host="127.0.0.1",
        port=3000,
        log_level="info",
    )


def test_all_problems_are_said_at_once() -> None:
    found = problems({"PORT": "http", "LOG_LEVEL": "loud", "GITHUB_API_URL": "github.com"})
    names = ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET", "GITHUB_API_URL", "PORT", "LOG_LEVEL"]
    assert [sentence.split()[0] for sentence in found] == names
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in found)


@pytest.mark.parametrize("app_id", ["abc", "0", "-1", "1.5", "²", "9" * 400])
def test_an_app_id_is_a_number(app_id: str) -> None:
    assert problem(APP_ID=app_id).startswith("APP_ID has to be the number")


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY.strip(),
        KEY.replace("\n", "\r\n"),
        KEY.replace("\n", "\\n"),
        KEY.replace("\n", "\\r\\n"),
        base64.b64encode(KEY.encode()).decode(),
        base64.encodebytes(KEY.encode()).decode(),
    ],
)
def test_a_private_key_is_read_as_environments_deform_it(written: str) -> None:
    assert read(PRIVATE_KEY=written).private_key == KEY


def test_a_private_key_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(KEY)
    assert read(PRIVATE_KEY="", PRIVATE_KEY_PATH=str(file)).private_key == KEY


@pytest.mark.parametrize(
    "wrong",
    [
        "nonsense",
        "AAAA",
        KEY[:300],
        KEY.replace("RSA PRIVATE", "PUBLIC"),
        pem(RSA, BestAvailableEncryption(b"password")),
    ],
)
def test_a_private_key_that_is_none_is_found_at_start(wrong: str) -> None:
    sentence = problem(PRIVATE_KEY=wrong)
    assert sentence.startswith("PRIVATE_KEY is not a private key in PEM form")
    assert wrong[:40] not in sentence


def test_a_key_of_another_kind_is_refused() -> None:
    assert "not an RSA key" in problem(PRIVATE_KEY=pem(ec.generate_private_key(ec.SECP256R1())))


def test_a_key_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, reason in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "Is a directory"),
        (binary, "not text"),
    ):
        assert reason in problem(PRIVATE_KEY="", PRIVATE_KEY_PATH=str(path))
    (tmp_path / "text").write_text("hello")
    sentence = problem(PRIVATE_KEY="", PRIVATE_KEY_PATH=str(tmp_path / "text"))
    assert sentence.startswith("PRIVATE_KEY_PATH is not a private key")


def test_a_key_given_twice_is_refused() -> None:
    assert "both set" in problem(PRIVATE_KEY_PATH="key.pem")


def test_several_secrets_are_separated_by_commas() -> None:
    assert read(WEBHOOK_SECRET="new, old").webhook_secrets == ("new", "old")
    assert "empty part" in problem(WEBHOOK_SECRET="new,,old")
    assert problem(WEBHOOK_SECRET=" ").startswith("WEBHOOK_SECRET is missing")


@pytest.mark.parametrize(
    "url",
    [
        "https://github.example.com/api/v3",
        "https://api.acme.ghe.com",
        "http://127.0.0.1:8080",
        "http://localhost:8080/api",
        "http://[::1]:8080",
    ],
)
def test_an_enterprise_server_is_reached_by_its_address(url: str) -> None:
    assert read(GITHUB_API_URL=url + "/").api_url == url


@pytest.mark.parametrize(
    "url",
    [
        "api.github.com",
        "ftp://api.github.com",
        "https://",
        "https://host:port",
        "https://[::1",
        "https://me:secret@host",
        "https://host/?x=1",
        "http://github.example.com/api/v3",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    assert problem(GITHUB_API_URL=url).startswith("GITHUB_API_URL has to be")


def test_the_database_lies_in_the_data_folder_unless_said_otherwise() -> None:
    assert read(DATA_DIR="/data").database_url == "sqlite:////data/sockgate.sqlite"
    assert read(DATABASE_URL="sqlite:///x.db").database_url == "sqlite:///x.db"
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        url = read(DATABASE_URL=f"{scheme}://me:pw@db/sockgate").database_url
        assert url == "postgresql+psycopg://me:pw@db/sockgate"


@pytest.mark.parametrize(
    "url", ["mysql://me:pw@db/x", "sqlite://", "sqlite:///", "/f", "http://[::1"]
)
def test_other_databases_are_refused_without_repeating_a_password(url: str) -> None:
    sentence = problem(DATABASE_URL=url)
    assert sentence.startswith("DATABASE_URL has to be")
    assert "pw" not in sentence


def test_a_port_and_a_level_have_a_range() -> None:
    assert read(PORT="8080", LOG_LEVEL="DEBUG").port == 8080
    assert read(LOG_LEVEL="DEBUG").log_level == "debug"
    for port in ("0", "65536", "x"):
        assert problem(PORT=port).startswith("PORT has to be")


def test_no_secret_is_printed() -> None:
    made = read(WEBHOOK_SECRET="hush,mouse", DATABASE_URL="postgresql://me:pass-word@db/x")
    assert made.secrets == (KEY, "hush", "mouse", "pass-word")
    for secret in ("hush", "mouse", "pass-word", "BEGIN"):
        assert secret not in repr(made)
        assert secret not in str(made)
