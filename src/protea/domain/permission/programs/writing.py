"""Commands that do more than read: what they write or remove, where that is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from protea.domain.permission.programs.hazards import hazard
from protea.domain.permission.programs.languages import sed_fault
from protea.domain.permission.programs.options import Access, Study, Use, use
from protea.domain.permission.shell.script import Word, listed
from protea.domain.permission.shell.unwrap import basename


def _plain(words: Sequence[Word]) -> list[Word]:
    """The operands, options left out. May take an option's value for an operand, which errs to the safe side."""
    for index, word in enumerate(words):
        if word.text == "--":
            return [w for w in words[1:index] if not w.text.startswith("-")] + list(words[index + 1 :])
    return [word for word in words[1:] if not word.text.startswith("-") or word.text == "-"]


def _flag(words: Sequence[Word], letters: str) -> bool:
    return any(
        (re.match(r"-[A-Za-z]", w.text) and any(letter in w.text for letter in letters))
        or w.text in ("--recursive", "--archive")
        for w in words[1:]
    )


def _copied(words: Sequence[Word]) -> list[Use]:
    """cp, mv and their like: the last operand is written to, and so is each source's name below it."""
    name = basename(words[0].text)
    plain = _plain(words)
    target = None
    for index, word in enumerate(words):
        option, equals, value = word.text.partition("=")
        if option == "--target-directory" and equals:
            target = Word(value)
        elif word.text in ("-t", "--target-directory") and name != "rsync" and index + 1 < len(words):
            target = words[index + 1]
        elif word.text.startswith("-t") and len(word.text) > 2 and name != "rsync":
            target = Word(word.text[2:])
    sources = [w for w in plain if w is not target]
    if target is None:
        if len(sources) < 2:
            sources, target = sources, Word(".")
        else:
            sources, target = sources[:-1], sources[-1]
    read: Access = "remove" if name == "mv" else "tree" if _flag(words, "rRa") else "read"
    found = [use(read, word) for word in sources]
    if name == "mv":
        found += [use("read", word) for word in sources]
    found.append(use("write", target))
    for word in sources:
        found.append(Use("write", target.text.rstrip("/") + "/" + basename(word.text.rstrip("/"))))
    return found


def _unpacked(words: Sequence[Word]) -> list[Use] | None:
    name = basename(words[0].text)
    return [
        use("write", words[i + 1])
        for i, w in enumerate(words[:-1])
        if w.text in ("-C", "--directory", "-d", "-D") and (w.text != "-d" or name == "unzip")
    ] + [Use("write", w.text.partition("=")[2]) for w in words if w.text.startswith("--directory=")] or None


def _dd(words: Sequence[Word]) -> list[Use]:
    found = []
    for word in words[1:]:
        key, _, value = word.text.partition("=")
        if key in ("of", "if"):
            found.append(Use("write" if key == "of" else "read", value))
    return found


_FETCHED_INTO = listed("-o -O --output --output-document -P --output-dir -c --cookie-jar -D")
_SENT_FROM = listed("-T --upload-file -K --config -b --post-file --body-file -F -d --data --data-binary")


def _fetched(words: Sequence[Word]) -> list[Use]:
    """curl and wget: what they write into, and the files they send."""
    found = []
    for index, word in enumerate(words):
        option, equals, value = word.text.partition("=")
        following = words[index + 1].text if index + 1 < len(words) else ""
        if option in _FETCHED_INTO:
            path = value if equals else following
            if path and path != "-" and not path.startswith("-") and "://" not in path:
                found.append(Use("write", path))
        if word.text.startswith("@"):
            found.append(Use("read", word.text[1:]))
        if option in _SENT_FROM:
            path = (value if equals and word.text.startswith("--") else following).rpartition("@")[2]
            found.append(Use("read", path))
    return found


def _all(access: Access, first: int = 0) -> Callable[[Sequence[Word]], list[Use]]:
    return lambda words: [use(access, word) for word in _plain(words)[first:]]


_WRITERS: dict[str, Callable[[Sequence[Word]], list[Use] | None]] = {
    **dict.fromkeys(listed("rm rmdir unlink shred srm trash trash-put"), _all("remove")),
    **dict.fromkeys(listed("touch tee mkdir truncate mkfifo mknod vi vim nano emacs ed ex sponge"), _all("write")),
    **dict.fromkeys(listed("chmod chown chgrp chattr setfacl"), _all("write", 1)),
    **dict.fromkeys(listed("cp mv ln install rsync scp link"), _copied),
    **dict.fromkeys(listed("tar bsdtar unzip cpio 7z"), _unpacked),
    "flock": lambda words: [use("write", word) for word in _plain(words)[:1]],
    "dd": _dd,
    "curl": _fetched,
    "wget": _fetched,
}
"""The paths of a command that is known to write; None where its words do not tell."""
_PARTLY_KNOWN = listed("tar bsdtar cpio 7z curl wget rsync scp flock")


# -- commands that mostly read: what the words that make them more do -------------------------------------------------


def _sed_in_place(words: Sequence[Word]) -> list[Use]:
    rest = [w for w in words[1:] if not w.text.startswith("-")]
    scripted = any(w.text.startswith(("-e", "--expression")) for w in words)
    return [use("write", word) for word in (rest if scripted else rest[1:])]


def _sed(words: Sequence[Word], why: str, danger: str | None) -> Study:
    if not any(re.match(r"-[nErsuz]*i|--in-place", w.text) for w in words[1:]):
        return Study(False, why, hazard=danger or why)
    scripts = [w.text for w in words[1:] if not w.text.startswith("-")]
    fault = sed_fault(scripts[0]) if scripts else "no script"
    odd = any(w.text.startswith(("-e", "-f", "--file", "--expression")) for w in words[1:])
    hazard_of_it = "its script" if fault or odd else None
    return Study(False, "it edits files in place", tuple(_sed_in_place(words)), True, hazard_of_it)


def _program(words: Sequence[Word], why: str, danger: str | None) -> Study:
    return Study(False, why, hazard=why)


def _sort(words: Sequence[Word], why: str, danger: str | None) -> Study:
    found = []
    for index, word in enumerate(words[1:], 1):
        following = words[index + 1].text if index + 1 < len(words) else ""
        if word.text in ("-o", "--output") and index + 1 < len(words):
            found.append(use("write", words[index + 1]))
        elif word.text.startswith("--o"):
            found.append(Use("write", word.text.partition("=")[2]))
        elif re.match(r"-[a-zA-Z]*o", word.text):
            found.append(Use("write", word.text.partition("o")[2] or following))
    if found and danger is None:
        return Study(False, "it writes a file", (*found, *(use("read", w) for w in _plain(words))), True)
    return Study(False, why, hazard=danger)


def _into_the_second(words: Sequence[Word], why: str, danger: str | None) -> Study:
    plain = _plain(words)
    if len(plain) > 1:
        return Study(False, why, (use("read", plain[0]), *(use("write", w) for w in plain[1:])), True, danger)
    return Study(False, why, hazard=danger)


def _tree(words: Sequence[Word], why: str, danger: str | None) -> Study:
    targets = [use("write", words[i + 1]) for i, w in enumerate(words[:-1]) if w.text == "-o"]
    return Study(False, why, tuple(targets), False, danger)


def _find(words: Sequence[Word], why: str, danger: str | None) -> Study:
    removing = any(word.text == "-delete" for word in words)
    starts = []
    for word in words[1:]:
        if word.text.startswith("-") or word.text in ("(", "!"):
            break
        starts.append(word)
    found = [use("remove" if removing else "list", word) for word in starts or [Word(".")]]
    found += [use("write", words[i + 1]) for i, w in enumerate(words[:-1]) if w.text.startswith(("-fprint", "-fls"))]
    return Study(False, why, tuple(found), False, danger)


_MOSTLY_READERS: dict[str, Callable[[Sequence[Word], str, str | None], Study]] = {
    "sed": _sed,
    **dict.fromkeys(("awk", "gawk", "mawk", "jq"), _program),
    "sort": _sort,
    "uniq": _into_the_second,
    "xxd": _into_the_second,
    "tree": _tree,
    "find": _find,
}


def beyond_reading(words: Sequence[Word], why: str) -> Study:
    """A command that is more than reading, or not understood: `why`."""
    name = basename(words[0].text)
    danger = hazard(words)
    if name in _MOSTLY_READERS:
        return _MOSTLY_READERS[name](words, why, danger)
    uses = _WRITERS[name](words) if name in _WRITERS else None
    if uses is not None:
        # Of some only the options that write are known: any other word may be a file they read.
        return Study(False, "it writes", tuple(uses), name not in _PARTLY_KNOWN, danger)
    return Study(False, why, hazard=danger)
