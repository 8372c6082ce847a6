"""Pages for people: one base, one style sheet, one small script, no foreign parts.

A template extends `base.html` and fills the blocks `title`, `head` and `main`. Everything shown is
escaped by the templates; nothing runs or loads that does not come from here (the policy says so).
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot import __version__
from bot.publish.plain import visible

_FOLDER = Path(__file__).parent
_KINDS = {
    "icon.svg": "image/svg+xml",
    "live.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
}
_YEAR = 365 * 24 * 3600
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action {}"
)


def page(
    template: str,
    *,
    status: int = 200,
    form_action: Iterable[str] = ("'self'",),
    **values: Any,
) -> Response:
    """Answer with a template. `form_action` is where its forms may be sent to."""
    text = _templates().get_template(template).render(**values)
    policy = _POLICY.format(" ".join(form_action))
    headers = {
        "Content-Security-Policy": policy,
        # Without any referrer a browser would not say where a form comes from either.
        "Referrer-Policy": "same-origin",
    }
    return HTMLResponse(text, status, headers)


def routes() -> list[Route]:
    """Return the routes of the style sheet and the script."""
    return [Route("/pages/{name}", _file)]


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _KINDS:
        return Response(status_code=404)
    headers = {"Content-Type": _KINDS[name], "Cache-Control": f"public, max-age={_YEAR}, immutable"}
    return Response(_read(name), headers=headers)


@cache
def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


def _asset(name: str) -> str:
    """Return the address of a file, which changes with its content."""
    return f"/pages/{name}?{hashlib.sha256(_read(name)).hexdigest()[:12]}"


def _shown(value: Any) -> Any:
    """Show what would hide in a line, or turn it around; autoescape does the rest."""
    return visible(value) if type(value) is str else value


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.globals.update(asset=_asset, version=__version__)
    return made
