"""One error for whatever can go wrong between us and GitHub."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jwt
import requests
import urllib3
from github import GithubException
from github.GithubException import (
    BadAttributeException,
    BadCredentialsException,
    RateLimitExceededException,
    UnknownObjectException,
)

from bot.forge.error import ForgeError

FOREIGN = (
    GithubException,
    BadAttributeException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
)
_LIMITED = 60.0  # "at least one minute" (GitHub Docs, "Rate limits for the REST API")


def check_json(answer: Any) -> None:
    """Refuse what PyGithub makes of a body that is no JSON: the text itself, below "data"."""
    if isinstance(answer, dict) and isinstance(answer.get("data"), str):
        raise ValueError("no JSON")  # noqa: TRY004 - the body is at fault, not a type of ours


def graphql_error(error: Mapping[str, Any]) -> ForgeError:
    """Return the one error for a member of a GraphQL answer's `errors`."""
    message = str(error.get("message", "no message"))[:200]
    match error.get("type"):
        case "NOT_FOUND":
            return ForgeError(f"not found: {message}", retry=False, status=404)
        case "RATE_LIMITED":
            return ForgeError(f"rate limit: {message}", retry=True, after=_LIMITED)
        case "FORBIDDEN" | "INSUFFICIENT_SCOPES":
            return ForgeError(f"not permitted: {message}", retry=False, status=403)
        case _:
            return ForgeError(f"graphql: {message}", retry=True)


@contextmanager
def as_forge_errors() -> Iterator[None]:
    """Turn whatever comes out of a request, PyGithub or what it stands on, into a ForgeError."""
    try:
        yield
    except FOREIGN as error:
        raise forge_error(error) from error
    except jwt.PyJWTError as error:
        raise ForgeError(f"private key: {type(error).__name__}", retry=False) from error
    except (ValueError, AssertionError, RuntimeError, OSError) as error:
        # A body that was cut off or is no JSON; a redirect to another host; a connection reset.
        raise ForgeError(f"unreadable answer: {type(error).__name__}", retry=True) from error


def forge_error(error: Exception) -> ForgeError:
    """Return the one error for whatever PyGithub and what it stands on raise."""
    match error:
        case RateLimitExceededException():
            return ForgeError("rate limit: reached", retry=True, after=_until(error), status=403)
        case BadCredentialsException():
            return ForgeError("credentials: not accepted", retry=True, after=10, status=401)
        case UnknownObjectException():
            return ForgeError("not found: gone, or hidden from the App", retry=False, status=404)
        case GithubException():
            return _by_status(error)
        case requests.Timeout():
            return ForgeError("no answer: time-out", retry=True)
        case _:
            return ForgeError(f"no answer: {type(error).__name__}", retry=True)


def _by_status(error: GithubException) -> ForgeError:
    status, message = error.status, str(error.message or "")[:200]
    limited = status == 429 or (status == 403 and "retry-after" in headers_of(error))
    if limited:
        return ForgeError(f"rate limit: {message}", retry=True, after=_until(error), status=status)
    if status >= 500 or status in {0, 408, 409, 425}:
        wait = headers_of(error).get("retry-after", "")
        after = float(wait) if wait.isdigit() else None
        return ForgeError(f"status {status}: {message}", retry=True, after=after, status=status)
    if status in {404, 410, 451}:
        return ForgeError(f"not found: {message}", retry=False, status=status)
    if status in {401, 403}:
        return ForgeError(f"not permitted: {message}", retry=status == 401, status=status)
    return ForgeError(f"status {status}: {message}", retry=False, status=status)


def headers_of(error: GithubException) -> dict[str, str]:
    """Return the headers of the answer that was an error, names in lower case."""
    return {name.lower(): str(value) for name, value in (error.headers or {}).items()}


def _until(error: GithubException) -> float:
    """Return the seconds until GitHub takes requests again.

    GitHub Docs, "Rate limits for the REST API": `retry-after`, else the primary limit's reset
    where nothing is left, else a minute.
    """
    headers = headers_of(error)
    wait, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if wait.isdigit():
        return float(wait)
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(float(reset) - time.time(), 0) + 1
    return _LIMITED
