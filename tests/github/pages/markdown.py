"""Markdown the way GitHub shows it, as far as comments here use it.

Raw HTML is escaped but for ``<details>`` and ``<summary>``; HTML comments are left out, as GitHub
leaves them out of sight.
"""

import html
import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

_PASSED = re.compile(r"<details(?: open)?>|</details>|<summary>|</summary>|<br ?/?>")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def render(text: str | None) -> Markup:
    """Turn Markdown into HTML that holds nothing but what Markdown makes."""
    rendered: str = _PARSER.render(text or "")
    return Markup(rendered)


def _safe(text: str) -> str:
    text = _COMMENT.sub("", text)
    parts, position = [], 0
    for found in _PASSED.finditer(text):
        parts += [html.escape(text[position : found.start()]), found[0]]
        position = found.end()
    return "".join([*parts, html.escape(text[position:])])


def _raw(_self: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return _safe(tokens[index].content)


def _image(
    _self: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any
) -> str:
    return f"[{html.escape(tokens[index].content)}]"


def _fence(
    _self: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any
) -> str:
    token = tokens[index]
    kind = token.info.strip().split(" ")[0]
    body = f"<pre><code>{html.escape(token.content)}</code></pre>\n"
    if kind == "suggestion":
        return f'<div class="suggestion"><p>Suggested change</p>{body}</div>\n'
    return body


def _table(
    _self: RendererHTML, _tokens: Sequence[Token], _index: int, _options: Any, _env: Any
) -> str:
    """Let whoever uses the keyboard scroll a wide table, too."""
    return '<table tabindex="0">\n'


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.add_render_rule("html_block", _raw)
    parser.add_render_rule("html_inline", _raw)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("table_open", _table)
    return parser


_PARSER = _parser()
