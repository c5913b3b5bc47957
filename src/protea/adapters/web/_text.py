"""What came over the wire as text a model can read. Called by `http`, in a thread."""

from __future__ import annotations

import contextlib
import io
import re
import unicodedata

import msgspec

from protea.domain.plain import plain
from protea.ports.web import WebError

HTML = ("text/html", "application/xhtml+xml")
PDF_PAGES = 50
LARGE = 1_000_000
"""Characters of HTML from which on another reader is used, where it is there: it is plainer, and takes a fifth of the
time."""
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]")
"""Characters that show nothing or turn the direction: a person would not see what a model reads."""
_CHARSET = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.{0,1000}?)</title", re.IGNORECASE | re.DOTALL)


def shown(data: bytes, content_type: str, url: str, *, cut: bool) -> tuple[str, str, str]:
    """Title, text and media type. Raises `WebError` for what is no text."""
    kind, _, rest = content_type.partition(";")
    kind = kind.strip().lower() or _guessed(data)
    if kind == "application/pdf" or data.startswith(b"%PDF-"):
        return "", clean(_pdf(data, url)), "application/pdf"
    if kind.startswith(("image/", "audio/", "video/", "font/")) or b"\0" in data[:4096]:
        raise WebError("unreadable", f"{url} is {kind} ({len(data):,} bytes), which cannot be read as text")
    text = _decoded(data, rest)
    if kind in HTML or (
        kind in ("", "text/plain") and re.match(r"\s*<(!doctype html|html)\b", text[:200], re.IGNORECASE)
    ):
        found = _TITLE.search(text)
        title = " ".join(_unescaped(found.group(1)).split())[:200] if found else ""
        return clean(title), clean(_markdown(text, url)), kind or "text/html"
    if (kind == "application/json" or kind.endswith("+json")) and not cut:
        with contextlib.suppress(msgspec.DecodeError):  # it says it is JSON and is not: as it came
            text = msgspec.json.format(text.encode(), indent=2).decode()
    return "", clean(text), kind or "text/plain"


def clean(text: str) -> str:
    """Without what a terminal would obey and a person would not see."""
    return _INVISIBLE.sub("", plain(unicodedata.normalize("NFC", text))).strip()


def _guessed(data: bytes) -> str:
    return "text/html" if re.match(rb"\s*<(!doctype html|html)\b", data[:200], re.IGNORECASE) else ""


def _decoded(data: bytes, parameters: str) -> str:
    named = re.search(r"charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{2,40})", parameters, re.IGNORECASE)
    inside = _CHARSET.search(data[:4096])
    for name in (named.group(1) if named else "", inside.group(1).decode() if inside else "", "utf-8"):
        try:
            return data.decode(name, "replace") if name else data.decode("utf-8-sig")
        except (LookupError, UnicodeDecodeError):
            continue
    return data.decode("utf-8", "replace")


def _unescaped(text: str) -> str:
    from html import unescape

    return unescape(text)


def _markdown(text: str, url: str) -> str:
    from protea.adapters.web._markdown import markdown  # only where a page is one

    if len(text) <= LARGE:
        return markdown(text, url)
    try:
        import html_to_markdown  # the extra `web`; 18 ms, and most runs fetch nothing
    except ImportError:
        return markdown(text, url)
    try:
        options = html_to_markdown.ConversionOptions(extract_metadata=False, skip_images=True, base_url=url)
        return html_to_markdown.convert(text, options).content or ""
    except Exception:  # a page it stumbles over is still a page; its errors have no common base
        return markdown(text, url)


def _pdf(data: bytes, url: str) -> str:
    try:
        import pypdf  # the extra `media`
    except ImportError as error:
        raise WebError("unreadable", f"{url} is a PDF; to read it install protea[media]") from error
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        pages = [reader.pages[number].extract_text() for number in range(min(PDF_PAGES, len(reader.pages)))]
        more = f"\n\n[{len(reader.pages) - PDF_PAGES} more pages]" if len(reader.pages) > PDF_PAGES else ""
    except (pypdf.errors.PyPdfError, ValueError, KeyError, RecursionError, TypeError, OSError) as error:
        raise WebError("unreadable", f"{url} cannot be read as a PDF: {error}") from error
    return "\n\n".join(f"── page {number}\n{text.strip()}" for number, text in enumerate(pages, 1)) + more
