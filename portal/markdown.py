"""Markdown of strangers as a page may show it: formatted, and nothing more."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST = 100_000
"""Characters that are shown; the rest of a longer text is left out."""
EXCERPT = 1000
"""Characters in which the first paragraph is looked for."""
TAGS = {"a", "blockquote", "br", "code", "del", "em", "hr", "li", "ol", "p", "pre", "s", "strong", "ul"}
TAGS |= {"h2", "h3", "h4", "h5", "h6", "table", "tbody", "td", "th", "thead", "tr"}
"""No images: they would be asked from other hosts, which the policy forbids and the reader did not choose."""
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}
_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])


def render(text: str, top: int = 2) -> SafeString:
    """`text` as HTML of a few harmless elements; its highest heading becomes `<h2>`, or that of `top`.

    Written twice against scripts: the parser passes no HTML on, and what it makes is cleaned by an allow-list.
    """
    tokens = _PARSER.parse(text[:LONGEST].replace("\0", ""))
    _level_headings(tokens, top)
    _name_images(tokens)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    clean = nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="nofollow noopener noreferrer"
    )
    return mark_safe(clean.replace("<pre>", '<pre tabindex="0">'))  # noqa: S308  cleaned


def excerpt(text: str) -> str:
    """The words of the first paragraph of `text`, without what formats them: for a line in a list."""
    tokens = _PARSER.parse(text[:EXCERPT].replace("\0", ""))
    for opening, inline in itertools.pairwise(tokens):
        if opening.type == "paragraph_open":
            words = (" " if child.type.endswith("break") else child.content for child in inline.children or ())
            return "".join(words).strip()
    return ""


def _level_headings(tokens: Sequence[Token], top: int) -> None:
    """Headings below the page's own, none more than one level below the one before it: readers jump by them."""
    previous = top - 1
    level = top
    for token in tokens:
        if token.type == "heading_open":
            level = min(int(token.tag[1]) + top - 1, previous + 1, 6)
            previous = level
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{level}"


def _name_images(tokens: Sequence[Token]) -> None:
    """An image is shown by the words that stand for it."""
    for token in tokens:
        for child in token.children or ():
            if child.type == "image":
                child.type, child.tag, child.nesting = "text", "", 0
                child.content = child.content or str(child.attrs.get("alt", ""))
