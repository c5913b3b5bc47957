"""Shell scripts nobody wrote: lists, groups, wrappers, substitutions, heredocs, odd quotes, some of it then broken.

The programs in them are harmless stand-ins; `recording` runs them where nothing else can be reached.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

_FILE = Path(__file__).with_name("scripts_at_random.txt")


def _pieces() -> dict[str, list[str]]:
    found = {}
    for block in _FILE.read_text().split("\n== ")[1:]:
        name, *lines = block.split("\n")
        found[name] = [line.replace("¶", "\n").replace("⇥", "\t") for line in lines if line]
    return found


PIECES = _pieces()
JOINTS = [" && ", " || ", "; ", " | ", " & ", "\n", ";", " |& ", "&&", "|", " #c\n", "\n\n", "&"]
BROKEN = [
    *" \t\n'\"\\$`(){}<>|&;#*?[]~!=-@:,%^",
    "\\\n",
    "$(",
    "<<",
    "&&",
    ";;",
    "$'",
    '"$(',
    "${",
    "))",
    "((",
    "[[",
    "<(",
    "\r",
    "é",
    "\x0b",
]


def script(chance: Random, depth: int = 0) -> str:
    text = ""
    for number in range(chance.choice([1, 1, 1, 2, 2, 3]) if depth < 2 else chance.choice([1, 1, 2])):
        text += (chance.choice(JOINTS) if number else "") + _part(chance, depth)
    return text


def anything(chance: Random) -> str:
    """A script, as it is or with up to three characters put in, taken out or changed about."""
    text = list(script(chance))
    for _ in range(chance.choice([0, 0, 1, 2, 3])):
        at, how = chance.randrange(len(text)), chance.random()
        if how < 0.5:
            text.insert(at, chance.choice(BROKEN))
        elif how < 0.75 and len(text) > 1:
            del text[at]
        else:
            other = chance.randrange(len(text))
            text[at], text[other] = text[other], text[at]
    return "".join(text)


def _part(chance: Random, depth: int) -> str:
    kind = chance.random()
    if kind < 0.22 and depth < 3:
        inner = script(chance, depth + 1).replace("`", "")
        return chance.choice(PIECES["frames"]).replace("%s", inner)
    if kind < 0.32:
        inner = script(chance, 3)
        if chance.random() < 0.6:
            quoted = "'" + inner.replace("'", "'\\''") + "'"
        else:
            quoted = '"' + "".join("\\" + char if char in '\\"$`' else char for char in inner) + '"'
        return (
            chance.choice(PIECES["shells"])
            + " "
            + quoted
            + chance.choice(["", "", " x", " EXIT", " {} \\;", " | sh", " | bash"])
        )
    if kind < 0.38:
        return chance.choice(PIECES["known"])
    return _simple(chance, depth)


def _simple(chance: Random, depth: int) -> str:
    words = [chance.choice(PIECES["assigned"])] if chance.random() < 0.12 else []
    while chance.random() < 0.2:
        words.append(chance.choice(PIECES["wrappers"]))
    words.append(_head(chance))
    words += [_word(chance, depth) for _ in range(chance.randrange(4))]
    if chance.random() < 0.18:
        words.insert(
            chance.randrange(len(words) + 1), chance.choice(PIECES["arrows"]) + chance.choice(PIECES["targets"])
        )
    return chance.choice([" ", " ", " ", "  ", "\t", " \\\n"]).join(words)


def _head(chance: Random) -> str:
    name = chance.choice(PIECES["heads"])
    if chance.random() < 0.8:
        return name
    odd = [
        *(name[0] + "''" + name[1:], f"'{name}'", f'"{name}"', "\\" + name, f"$'{name}'", name[0] + "\\\n" + name[1:]),
        *(f"$(echo {name})", f"$x{name}", "/tmp/bin/" + name, f"{{{name},x}}", name + "$x", f"{name[:-1]}[{name[-1]}]"),
    ]
    return chance.choice(odd)


def _word(chance: Random, depth: int) -> str:
    kind = chance.random()
    if kind < 0.55:
        return chance.choice(PIECES["plain"])
    if kind < 0.7:
        return chance.choice(PIECES["quoted"])
    if kind < 0.85 or depth > 2:
        return chance.choice(PIECES["expanded"])
    return chance.choice(PIECES["around"]).replace("%s", script(chance, depth + 1).replace("`", ""))
