"""sed, awk and jq: an operand is a program of its own, which may do more than print."""

from __future__ import annotations

import re
from collections.abc import Sequence

from protea.domain.pattern import regex
from protea.domain.permission.programs.options import UnfitError, Use, assign, read_options, spec
from protea.domain.permission.shell.script import Word

_SED = spec(
    "-nErsuz --quiet --silent --regexp-extended --separate --unbuffered --null-data --posix --debug",
    "-e -l --expression --line-length",
    "",
)


def sed(words: Sequence[Word], uses: list[Use]) -> None:
    operands, given = read_options(words, _SED, uses)
    scripts = given.get("-e", []) + given.get("--expression", [])
    if not scripts:
        if not operands:
            raise UnfitError("a script is missing")
        script = operands.pop(0)
        if not script.known or script.glob is not None:
            raise UnfitError("the script is not literal")
        scripts = [script.text]
    wrong = sed_fault("\n".join(scripts))
    if wrong:
        raise UnfitError(wrong)
    assign(operands, "f*", uses)


_SED_ADDRESS = regex(r"[ \t]*(?:\d+(?:~\d+)?|\$|[+~]\d+)")


def sed_fault(script: str) -> str | None:
    """Why a sed script may do more than print, or None. A whitelist: `w r e W R F` and what is unknown are faults."""
    at, end = 0, len(script)

    def regex(at: int, delimiter: str) -> int:
        while at < end:
            if script[at] == "\\":
                at += 2
            elif script[at] == "\n":
                return -1
            elif script[at] == delimiter:
                return at + 1
            else:
                at += 1
        return -1

    while at < end:
        if script[at] in " \t;\n}{":
            at += 1
            continue
        if script[at] == "#":
            newline = script.find("\n", at)
            at = end if newline < 0 else newline
            continue
        for _ in range(2):
            match = _SED_ADDRESS.match(script, at)
            if match:
                at = match.end()
            elif script[at : at + 1] == "/" or (
                script[at : at + 1] == "\\" and at + 1 < end and script[at + 1] not in "\n\\"
            ):
                delimiter = "/" if script[at] == "/" else script[at + 1]
                at = regex(at + (1 if script[at] == "/" else 2), delimiter)
                if at < 0:
                    return "a sed address is not closed"
                while script[at : at + 1] in ("I", "M"):
                    at += 1
            while script[at : at + 1] in (" ", "\t"):
                at += 1
            if script[at : at + 1] == ",":
                at += 1
            else:
                break
        while script[at : at + 1] in ("!", " ", "\t"):
            at += 1
        command = script[at : at + 1]
        at += 1
        if not command:
            return "a sed command is missing"
        if command in "{}":
            continue
        if command in "pdDhHgGxnNP=lz":
            pass
        elif command in "qQ":
            match = re.compile(r"[ \t]*\d*").match(script, at)
            at = match.end() if match else at
        elif command in "btT:":
            match = re.compile(r"[ \t]*[A-Za-z0-9_]*").match(script, at)
            at = match.end() if match else at
        elif command in "sy":
            delimiter = script[at : at + 1]
            if not delimiter or delimiter in "\n\\":
                return "a sed command is not understood"
            at = regex(at + 1, delimiter)
            at = regex(at, delimiter) if at >= 0 else at
            if at < 0:
                return "a sed command is not closed"
            while command == "s" and at < end and script[at] in "gpiIm0123456789M":
                at += 1
        elif command in "aic":
            newline = script.find("\n", at)
            if script[at:newline].endswith("\\") if newline >= 0 else script.endswith("\\"):
                return "a sed text goes on over lines"
            at = end if newline < 0 else newline
        else:
            return f"the sed command {command} can run or write something"
        while script[at : at + 1] in (" ", "\t"):
            at += 1
        if at < end and script[at] not in ";\n}#":
            return "a sed command has flags that can run or write something"
    return None


_AWK = spec("", "-F -v", "")
_AWK_FAULTS = regex(
    r"system|getline|ENVIRON|PROCINFO|SYMTAB|FUNCTAB|ARG|@|(?<!\|)\|(?!\|)|close|/inet|print.*>|load|include|namespace",
    re.DOTALL,
)


def awk_fault(program: str) -> str | None:
    """Why an awk program may do more than print, or None."""
    match = _AWK_FAULTS.search(program)
    return f"the awk program contains {match.group()[:12]}" if match else None


def awk(words: Sequence[Word], uses: list[Use]) -> None:
    operands, given = read_options(words, _AWK, uses, ordered=True)
    if not operands or not operands[0].known or operands[0].glob is not None:
        raise UnfitError("the program is not literal")
    wrong = awk_fault(operands.pop(0).text)
    if wrong:
        raise UnfitError(wrong)
    if any("\\" in value for value in given.get("-v", [])):
        raise UnfitError("a value has escapes")
    for word in operands:
        if re.match(r"[A-Za-z_]\w*=", word.text):
            raise UnfitError("an operand assigns")
    assign(operands, "f*", uses)


_JQ = spec(
    "-racnesSMCRj --raw-output --compact-output --null-input --exit-status --slurp --sort-keys --monochrome-output"
    " --color-output --raw-input --join-output --tab --ascii-output --args --jsonargs --stream",
    "--indent",
    "",
)


def jq(words: Sequence[Word], uses: list[Use]) -> None:
    kept = list(words)
    index = 1
    while index < len(kept):
        if kept[index].text in ("--arg", "--argjson"):
            if not all(word.known and word.glob is None for word in kept[index : index + 3]):
                raise UnfitError("an argument is not literal")
            del kept[index : index + 3]
        else:
            index += 1
    operands, _ = read_options(kept, _JQ, uses)
    if operands:
        program = operands.pop(0)
        if not program.known or program.glob is not None:
            raise UnfitError("the program is not literal")
        if re.search(r"\benv\b|ENV|import|include|modulemeta|get_search_list|input_filename", program.text):
            raise UnfitError("the jq program may read more than its input")
    assign(operands, "f*", uses)
