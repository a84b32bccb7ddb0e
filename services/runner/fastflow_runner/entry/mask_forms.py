"""The ways in which a value may stand in output; pure."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus

MIN_BYTES = 4
"""Shorter values are not masked: they stand in every text, and their holes would tell what they are."""
MIN_LINE_BYTES = 8
"""Shorter lines of a value of several lines are not masked on their own."""
_WRAPS = (64, 76)
"""Columns at which programs break base64."""
_QUOTES = (
    *(('"', "'"), ("&quot;", "'"), ("&quot;", "&#x27;"), ("&quot;", "&#39;")),
    *(("&#34;", "&#39;"), ("&#x22;", "&#x27;"), ("&quot;", "&apos;")),
)
"""Double and single quotes in HTML and XML: xml.sax, html.escape, markupsafe, browsers and others."""
_ESCAPE = re.compile("%[0-9A-F]{2}")


def forms(values: Iterable[str]) -> set[bytes]:
    """Every byte string that gives one of the values away."""
    found = {form for value in values for form in _forms(value)}
    return {form for form in found if len(form) >= MIN_BYTES}


def _forms(value: str) -> Iterator[bytes]:
    """Of the value, of it without white space around it, and of its lines: who prints a key prints line by line."""
    wholes = {value, value.strip()} if len(value.strip().encode()) >= MIN_BYTES else {value}
    for text in wholes:
        if len(text.encode()) >= MIN_BYTES:
            yield from _base64(text.encode())
            yield text.encode().hex().encode()
            yield text.encode().hex().upper().encode()
            yield from _escaped(text)
    lines = value.splitlines()
    if len(lines) > 1:
        yield from _escaped("\r\n".join(lines))
        for line in lines:
            if len(line.strip().encode()) >= MIN_LINE_BYTES:
                yield from _escaped(line.strip())


def _base64(raw: bytes) -> Iterator[bytes]:
    for encode in (b64encode, urlsafe_b64encode):
        whole = encode(raw)
        yield whole
        yield whole.rstrip(b"=")
        for before in range(3):
            yield _certain(encode, raw, before)
    for width in _WRAPS:
        text = _certain(b64encode, raw, 0)
        yield b"\n".join(text[at : at + width] for at in range(0, len(text), width))


def _certain(encode: Callable[[bytes], bytes], raw: bytes, before: int) -> bytes:
    """The characters that come from `raw` alone when `before` other bytes stand before it, and others behind it."""
    return encode(bytes(before) + raw)[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


def _escaped(text: str) -> Iterator[bytes]:
    yield text.encode()
    for escaped in _url(text):
        yield escaped.encode()
        yield _ESCAPE.sub(lambda match: match[0].lower(), escaped).encode()
    for escaped in (*_quoted(text), *_entities(text)):
        yield escaped.encode()


def _url(text: str) -> Iterator[str]:
    for safe in ("", "/", "!'()*", ":/?#[]@!$&'()*+,;="):
        yield quote(text, safe=safe)
    yield quote_plus(text)


def _entities(text: str) -> Iterator[str]:
    """As in HTML and XML: what has to be escaped there, with quotes as libraries write them, or without."""
    least = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for double, single in _QUOTES:
        escaped = least.replace('"', double).replace("'", single)
        yield escaped
        yield escaped.encode("ascii", "xmlcharrefreplace").decode()


def _quoted(text: str) -> Iterator[str]:
    for ascii_only in (True, False):
        plain = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield plain
        yield plain.replace("/", "\\/")
        yield re.sub("[<>&]", lambda match: f"\\u{ord(match[0]):04x}", plain)
    yield repr(text)[1:-1]
    yield repr(text.encode())[2:-1]
    yield ascii(text)[1:-1]
