"""What an image is by its content, and one that is too large for a model made smaller, where Pillow (the extra `media`)
is there."""

from __future__ import annotations

import io

SIDE = 1568
"""Pixels of the longer side that models make use of."""
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def kind_of(start: bytes) -> str | None:
    """The media type of what begins so, if models can be shown it. A name says nothing: a provider that is sent what is
    no image refuses the whole request."""
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in MAGIC if start.startswith(magic)), None)


def shrunk(data: bytes, limit: int) -> tuple[str, bytes, str] | None:
    """(media type, bytes, words on what was done), or None where it cannot be done."""
    try:
        from PIL import Image  # type: ignore[import-not-found, unused-ignore]  # optional; heavy
    except ImportError:
        return None
    try:
        with Image.open(io.BytesIO(data)) as image:
            before = image.size
            for side in (SIDE, SIDE // 2, SIDE // 4):
                copy = image.copy()
                copy.thumbnail((side, side))
                out = io.BytesIO()
                if copy.mode in ("RGBA", "LA", "P"):
                    kind = "image/png"
                    copy.save(out, "PNG", optimize=True)
                else:
                    kind = "image/jpeg"
                    copy.convert("RGB").save(out, "JPEG", quality=85)
                if out.tell() <= limit:
                    words = f", {before[0]}x{before[1]} pixels, shown as {copy.size[0]}x{copy.size[1]}"
                    return kind, out.getvalue(), words
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return None
