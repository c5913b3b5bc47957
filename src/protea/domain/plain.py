"""Turns what a program wrote for a terminal into plain text. Pure.

Used on everything that leaves a tool: for the model, which pays for every escape sequence, and for terminals, which
must not obey one that came from a file or a command.
"""

from __future__ import annotations

from protea.domain.pattern import regex

_ESCAPES = regex(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)"  # OSC, DCS, SOS, PM, APC, up to their end
    r"|[ -/]*[0-~]"  # two-letter forms and character sets
    r")?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_OVERSTRIKE = regex(r"[^\n]\x08")
_RETURNS = regex(r"[^\n]*\r(?=[^\n])")
_CONTROLS = regex(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_UNFINISHED = regex(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\x9c]{0,4096}\x1b?|[ -/]*)?\Z")


def plain(text: str) -> str:
    """Without escape sequences and other control characters; of a line that was drawn several times (`\\r`, a progress
    bar) the last drawing. Tabs and line feeds stay; NUL and kin are shown as `\\x00`."""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    if "\x08" in text:
        text = _OVERSTRIKE.sub("", text)
    if "\r" in text:
        text = _RETURNS.sub("", text).replace("\r", "")
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def quoted(text: str) -> str:
    """Every line behind `> `: whatever it says, nobody takes it for what stands around it."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def unfinished(text: str) -> int:
    """How many characters at the end may be the beginning of an escape sequence that is still to come."""
    text = text[-4200:]
    end = len(text)
    # What stands before it may be unfinished itself as long as it is not known what comes.
    while end and (match := _UNFINISHED.search(text[:end])):
        end = match.start()
    return len(text) - end
