"""Commands that only read, but for certain words: a function each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from protea.domain.permission.programs.options import Studies, Study, UnfitError, Use, assign, read_options, spec
from protea.domain.permission.shell.script import Word, listed

_TEST_FILE = listed("-a -b -c -d -e -f -g -h -k -L -N -O -G -p -r -s -S -u -w -x")
_TEST_TEXT = listed("-z -n")
_TEST_BETWEEN = listed("= == != < > -eq -ne -lt -le -gt -ge -a -o -nt -ot -ef")


def test(words: Sequence[Word], uses: list[Use]) -> None:
    rest = list(words[1:])
    if words[0].text == "[" and (not rest or rest.pop().text != "]"):
        raise UnfitError("the bracket is not closed")
    for word in rest:
        if word.text in ("-v", "-R", "-o", "-t"):
            raise UnfitError(f"{word.text} evaluates its operand")
        if word.glob is not None:
            raise UnfitError("an operand is not literal")
    pending = ""
    for index, word in enumerate(rest):
        text = word.text
        if not word.known:
            if pending in _TEST_FILE:
                raise UnfitError("a path is not literal")
            pending = ""
        elif pending:
            if pending in _TEST_FILE:
                uses.append(Use("list", text))
            pending = ""
        elif text in ("!", "(", ")"):
            continue
        elif text in ("-nt", "-ot", "-ef"):
            for other in rest[max(index - 1, 0) : index + 2 : 2]:
                if not other.known:
                    raise UnfitError("a path is not literal")
                uses.append(Use("list", other.text))
        elif text in _TEST_BETWEEN and index > 0:
            continue
        elif text in _TEST_FILE or text in _TEST_TEXT:
            pending = text


_SORT = spec(
    "-bdfgihMnRrVcCmsuz --ignore-leading-blanks --dictionary-order --ignore-case --general-numeric-sort --month-sort"
    " --human-numeric-sort --numeric-sort --random-sort --reverse --version-sort --check --merge --stable --unique"
    " --zero-terminated --debug",
    "-k -t -S --key --field-separator --buffer-size --parallel --sort --batch-size",
    "",
)


def sort(words: Sequence[Word], uses: list[Use]) -> None:
    operands, _ = read_options(words, _SORT, uses)
    assign(operands, "f*", uses)


_DIFF = spec(
    "-aBbcdeEiNnpqrsTtuwyZ --text --brief --ignore-blank-lines --ignore-space-change --ignore-all-space --ignore-case"
    " --minimal --new-file --side-by-side --report-identical-files --unified --context --color --color= --recursive"
    " --suppress-common-lines --ignore-trailing-space --unified= --strip-trailing-cr --no-dereference"
    " --speed-large-files",
    "-U -C -W -I -x -L --label --width --exclude --ignore-matching-lines",
    "",
)


def diff(words: Sequence[Word], uses: list[Use]) -> None:
    operands, _ = read_options(words, _DIFF, uses)
    if len(operands) != 2:
        raise UnfitError("it needs two files")
    found: list[Use] = []
    assign(operands, "ff", found)
    # Two folders are compared file by file even without -r, through the links in them.
    follow = not any(word.text == "--no-dereference" for word in words)
    uses.extend(Use("tree", one.path, one.glob, follow=follow) for one in found)


_DATE = spec(
    "-uR --utc --universal --rfc-email --iso-8601 --iso-8601= --rfc-3339= -I", "-d -r:l --date --reference:l", ""
)


def date(words: Sequence[Word], uses: list[Use]) -> None:
    plain = [w for w in words if not re.fullmatch(r"-I(date|hours|minutes|seconds|ns)", w.text)]
    operands, _ = read_options(plain, _DATE, uses)
    if any(not word.text.startswith("+") or word.glob is not None for word in operands) or len(operands) > 1:
        raise UnfitError("it may set the clock")


def ps(words: Sequence[Word], uses: list[Use]) -> None:
    if not all(
        re.fullmatch(r"-[efFlAHTjaNw]+|[auxfwj]+|-[pCu]|\d+(,\d+)*|--forest|--no-headers", w.text) for w in words[1:]
    ):
        raise UnfitError("its options may show the environment of other programs")


def printf(words: Sequence[Word], uses: list[Use]) -> None:
    if len(words) > 1 and (words[1].text.startswith("-") or not words[1].known) and words[1].text != "--":
        raise UnfitError("it may assign a variable")
    if any(re.search(r"%[^A-Za-z%]*[hlLqjzt]*n", word.text) for word in words[1:]):
        raise UnfitError("%n assigns a variable")
    assign(words[1:], "t*", uses)


def command(words: Sequence[Word], uses: list[Use]) -> None:
    if len(words) < 2 or words[1].text not in ("-v", "-V"):
        raise UnfitError("it runs another command")
    if not all(re.fullmatch(r"[A-Za-z0-9_.+-]+", word.text) for word in words[2:]):
        raise UnfitError("a name is unusual")


def cd(words: Sequence[Word], uses: list[Use]) -> None:
    operands = [word for word in words[1:] if word.text != "--"]
    if len(operands) != 1 or operands[0].text.startswith("-") or not operands[0].text:
        raise UnfitError("it goes somewhere that is not plain")
    if not operands[0].known or operands[0].glob is not None:
        raise UnfitError("it goes somewhere that is not literal")
    uses.append(Use("enter", operands[0].text))


def tar(words: Sequence[Word], uses: list[Use]) -> None:
    if len(words) < 3 or not re.fullmatch(r"-?t[vzjJ]*f|-?[vzjJ]+tf|-tv?f", words[1].text):
        raise UnfitError("it may unpack or run something")
    if ":" in words[2].text:
        raise UnfitError("an archive with a colon in its name is fetched from another machine")
    assign(words[2:3], "f", uses)
    for word in words[3:]:
        if word.text.startswith("-") or not word.known or word.glob is not None:
            raise UnfitError("it may unpack or run something")


def unzip(words: Sequence[Word], uses: list[Use]) -> None:
    if len(words) != 3 or words[1].text not in ("-l", "-v", "-Z1", "-Z"):
        raise UnfitError("it may unpack something")
    assign(words[2:], "f", uses)


_XARGS = spec(
    "-0rtx --null --no-run-if-empty --verbose", "-n -L -d -P -I --max-args --max-lines --delimiter --max-procs", ""
)


def xargs(words: Sequence[Word], uses: list[Use], study: Studies) -> None:
    index = 1
    while index < len(words) and words[index].text.startswith("-"):
        index += 2 if words[index].text in ("-n", "-L", "-d", "-P", "-I") else 1
    read_options(words[:index], _XARGS, uses)
    inner = words[index:]
    if inner and inner[0].text not in ("echo", "basename", "dirname"):
        raise UnfitError("it gives operands that nobody can see to another command")
    done = study([*inner, Word("x", known=False)]) if inner else Study(True)
    if not done.fit:
        raise UnfitError(done.why)
    uses.extend(done.uses)


def set_options(words: Sequence[Word], uses: list[Use]) -> None:
    """`set -euo pipefail`: how the script itself ends. Alone it tells all variables."""
    index = 1
    while index < len(words):
        text = words[index].text
        if not re.fullmatch(r"[-+](?:[eu]+|[eu]*o)", text) or not words[index].known:
            raise UnfitError("it sets or tells more than how the script ends")
        index += 1
        if text.endswith("o"):
            if index >= len(words) or words[index].text not in ("pipefail", "errexit", "nounset"):
                raise UnfitError("it sets or tells more than how the script ends")
            index += 1
    if index == 1:
        raise UnfitError("it tells all variables")


_PIP = {
    "list": listed("-v --outdated"),
    "show": listed("-v -f --files"),
    "freeze": listed("-l --local --user --all --exclude-editable"),
}
"""Options with which it tells what is installed."""


def pip(words: Sequence[Word], uses: list[Use]) -> None:
    asked = words[1].text if len(words) > 1 else ""
    if asked not in _PIP:
        raise UnfitError("it may install something")
    for word in words[2:]:
        option = word.text.startswith("-")
        if (option and word.text not in _PIP[asked]) or not re.fullmatch(r"[A-Za-z0-9_.-]+", word.text):
            raise UnfitError("its options are not known to be harmless")
    if any(word.text == "--outdated" for word in words):
        raise UnfitError("it goes to the network")
    if asked == "freeze":
        # Of what is installed from a checkout, most likely this one, it asks git for the commit.
        uses.append(Use("repository", "."))


_VERSIONED = listed(
    """
    python python3 python3.11 python3.12 python3.13 python3.14 pip pip3 node npm deno bun ruby gem perl php java
    javac go gcc g++ clang clang++ cc c++ make cmake ninja git rg ruff uv mypy docker podman kubectl helm
    terraform jq curl wget tar zip bash zsh sh dotnet swift ghc lua R julia sqlite3 psql mysql redis-cli ffmpeg
    openssl rustc cargo rustup fd bat grep sed awk gawk find diff tree make bwrap
    """
)
_RUST = frozenset({"rustc", "cargo", "rustup"})


def asks_for_version(words: Sequence[Word], uses: list[Use]) -> bool:
    if len(words) != 2 or words[0].text not in _VERSIONED or words[0].text == "sh":
        return False
    asked = words[1].text
    if asked != "--version" and not (asked == "version" and words[0].text in ("go", "docker", "openssl")):
        short = {"python": "-V", "python3": "-V", "node": "-v", "npm": "-v", "pip": "-V", "rustc": "-V", "cargo": "-V"}
        short |= {"java": "-version", "javac": "-version", "perl": "-v", "php": "-v", "ruby": "-v"}
        if asked != short.get(words[0].text):
            return False
    if words[0].text in _RUST:
        # These may be rustup's proxies, which start a toolchain that the project names.
        uses.extend((Use("absent", "rust-toolchain"), Use("absent", "rust-toolchain.toml")))
    return True
