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
    reader = _SedReader(script)
    while not reader.over:
        fault = reader.command()
        if fault is not None:
            return fault
    return None


class _SedReader:
    """Goes through a script, a command at a time."""

    def __init__(self, script: str) -> None:
        self._script = script
        self._at = 0

    @property
    def over(self) -> bool:
        return self._at >= len(self._script)

    def command(self) -> str | None:
        """What is wrong with the next one, comments and braces being some; None where it only prints."""
        if self._next in " \t;\n}{":
            self._at += 1
            return None
        if self._next == "#":
            self._to_line_end()
            return None
        fault = self._addresses()
        if fault is not None:
            return fault
        self._skip("! \t")
        command = self._next
        self._at += 1
        if not command:
            return "a sed command is missing"
        if command in "{}":
            return None
        fault = self._operands(command)
        if fault is not None:
            return fault
        self._skip(" \t")
        if not self.over and self._next not in ";\n}#":
            return "a sed command has flags that can run or write something"
        return None

    def _addresses(self) -> str | None:
        for _ in range(2):
            match = _SED_ADDRESS.match(self._script, self._at)
            if match:
                self._at = match.end()
            elif self._next == "/" or self._names_delimiter:
                self._at += self._names_delimiter
                if not self._to_delimiter():
                    return "a sed address is not closed"
                self._skip("IM")
            self._skip(" \t")
            if self._next != ",":
                break
            self._at += 1
        return None

    def _operands(self, command: str) -> str | None:
        if command in "pdDhHgGxnNP=lz":
            return None
        if command in "qQ":
            self._skip_pattern(r"[ \t]*\d*")
        elif command in "btT:":
            self._skip_pattern(r"[ \t]*[A-Za-z0-9_]*")
        elif command in "sy":
            return self._substitution(command)
        elif command in "aic":
            before = self._at
            self._to_line_end()
            if self._script[before : self._at].endswith("\\"):
                return "a sed text goes on over lines"
        else:
            return f"the sed command {command} can run or write something"
        return None

    def _substitution(self, command: str) -> str | None:
        if self._next in ("", "\n", "\\"):
            return "a sed command is not understood"
        delimiter = self._next
        if not self._to_delimiter() or not self._to_delimiter(delimiter):
            return "a sed command is not closed"
        if command == "s":
            self._skip("gpiIm0123456789M")
        return None

    @property
    def _names_delimiter(self) -> bool:
        """`\\,regex,`: an address with a delimiter of its own."""
        return self._next == "\\" and self._script[self._at + 1 : self._at + 2] not in ("", "\n", "\\")

    @property
    def _next(self) -> str:
        """The character to be read; empty behind the last."""
        return self._script[self._at : self._at + 1]

    def _skip(self, characters: str) -> None:
        while self._next and self._next in characters:
            self._at += 1

    def _skip_pattern(self, pattern: str) -> None:
        match = re.compile(pattern).match(self._script, self._at)
        self._at = match.end() if match else self._at

    def _to_line_end(self) -> None:
        newline = self._script.find("\n", self._at)
        self._at = len(self._script) if newline < 0 else newline

    def _to_delimiter(self, delimiter: str = "") -> bool:
        """Behind the next delimiter, which is the character to be read where none is given; False where none comes on
        this line."""
        if not delimiter:
            delimiter = self._next
            self._at += 1
        while not self.over:
            if self._next == "\\":
                self._at += 2
            elif self._next == "\n":
                return False
            else:
                self._at += 1
                if self._script[self._at - 1] == delimiter:
                    return True
        return False


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
