"""The strict reader: the only one that is believed when something is to be allowed.

It reads a small grammar and reads it as bash does: blanks, plain words, single quotes, double quotes with literal text,
`&& || ; | &` and newline, redirects with one literal target, heredocs whose text cannot expand, comments, backslash
before one printable character, `$HOME`, `$?`, and `$(…)` round the same grammar. Whatever else appears makes the whole
text `Unreadable`. It never guesses and never repairs; `steps.reading` calls it, and compares it with the tree reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from protea.domain.pattern import regex
from protea.domain.permission.shell.script import Command, Joint, Redirect, Script, Unreadable, Word, listed

LONGEST = 10_000
"""Characters. Longer scripts ask."""

DEEPEST = 3
"""Substitutions within substitutions."""

INVISIBLE = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code) for first, last in ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF)) for code in range(first, last + 1)
}
"""Printable by their category, but nothing a person would see."""

_RESERVED = listed(
    """
    if then else elif fi for while until do done case esac select function coproc in { } ! [[ ]]
    """
)
_PLAIN = regex(r"[A-Za-z0-9_./,:=@%+^\-\]]+")
_ASCII_OK = regex(r"[\t\n\x20-\x7e]*\Z")
_ASSIGNMENT = regex(r"[A-Za-z_][A-Za-z0-9_]*=")
_ODD_ASSIGNMENT = regex(r"[A-Za-z_][A-Za-z0-9_]*(\[[^=]*\]?\+?=|\+=)")
_DELIMITER = regex(r"[A-Za-z0-9_.!-]+")
_DUPLICATE = regex(r"(\d+|-)(?=[\s;|&<>)]|\Z)")
_QUOTED_RUN = regex(r'[^"\\$`]+')
_BLANK = regex(r"[ \t]+")
_NAMED = regex(r"\$(?:\{(HOME|PWD)\}|(HOME|PWD)(?![A-Za-z0-9_])|([?#]))")
_ODD_BRACKET = regex(r"\[[^\]]*[\[\\'\"]|\[.*/.*\]")
"""Classes, quotes and slashes between brackets, which few matchers read as bash does."""
_ENDS_WORD = frozenset(" \t\n;|&<>()")


class _StopError(Exception):
    """Leaves the grammar; caught in `read_strictly`."""


def visible(text: str) -> str | None:
    """None when every character of `text` shows; else a name for the first that does not."""
    if _ASCII_OK.match(text):
        return None
    for char in text:
        if (not char.isprintable() and char not in "\t\n") or char in INVISIBLE:
            return f"U+{ord(char):04X}"
    return None


def read_strictly(text: str, home: str = "") -> Script | Unreadable:
    """The commands of `text`, or why they are not vouched for. Linear in the length; never raises."""
    if len(text) > LONGEST:
        return Unreadable(f"it is longer than {LONGEST} characters")
    hidden = visible(text)
    if hidden is not None:
        return Unreadable(f"it contains the invisible or control character {hidden}")
    reader = _Reader(text, home)
    try:
        reader.list_until("")
    except _StopError as stop:
        return Unreadable(str(stop))
    if not reader.commands:
        return Unreadable("there is nothing to run")
    return Script(tuple(command for _, command in sorted(reader.commands, key=lambda pair: pair[0])))


class _Pieces:
    """A word that is being read: what it says, and the pattern it is where a `*` in it is not quoted."""

    __slots__ = ("braces", "globbed", "known", "pattern", "split", "text")

    def __init__(self) -> None:
        self.text: list[str] = []
        self.pattern: list[str] = []
        self.globbed = False
        self.braces = False
        self.known = True
        self.split = False
        """Whether what an expansion in it gives is split into words."""

    def plain(self, piece: str) -> None:
        self.text.append(piece)
        # An unquoted ] may close a bracket expression, so it stays bare in the pattern.
        self.pattern.append(piece)

    def literal(self, piece: str) -> None:
        self.text.append(piece)
        self.pattern.append(re.sub(r"([*?\[\]\\])", r"\\\1", piece))

    def character(self, char: str) -> None:
        """One outside quotes that is not plain."""
        if char in "*?[":
            self.globbed = True
            self.plain(char)
        else:
            self.braces = self.braces or char in "{}"
            self.literal(char)

    def word(self, raw: str, following: str, assigned: bool) -> Word:
        """The word, which stood as `raw` before `following`."""
        if self.braces and raw != "{}" and ("," in raw or ".." in raw or raw[0] in "{}" or self.split):
            raise _StopError("it contains a brace expansion")
        if self.braces and following in ("<", ">"):
            raise _StopError("a redirect names a variable")
        if self.globbed and raw != "[" and "[" in raw and _ODD_BRACKET.search(raw):
            raise _StopError("a bracket expression is unusual")
        if self.globbed and not self.known:
            raise _StopError("a glob stands beside an expansion")
        # Assignments do not glob, and a bracket alone is the test command.
        globs = self.globbed and not assigned and raw != "["
        return Word("".join(self.text), self.known, "".join(self.pattern) if globs else None)


class _Reader:
    def __init__(self, text: str, home: str) -> None:
        self.text = text
        self.home = home
        self.at = 0
        self.depth = 0
        self.commands: list[tuple[int, Command]] = []
        self.heredocs: list[tuple[str, bool]] = []
        """Delimiters whose bodies start after the next newline, and whether they are quoted."""

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def blanks(self) -> None:
        match = _BLANK.match(self.text, self.at)
        if match:
            self.at = match.end()

    def list_until(self, end: str) -> None:
        """Read commands up to `end` (`)`, or the end of the text)."""
        joint: Joint = ""
        while True:
            self.blanks_and_comments()
            char = self.peek()
            if char == "\n":
                self.newline()
                if joint in ("", ";", "&", "\n"):
                    joint = "\n" if joint else ""
                continue
            if char == end or not char:
                if char != end:
                    raise _StopError("a parenthesis is not closed")
                if joint in ("&&", "||", "|"):
                    raise _StopError(f"nothing follows {joint}")
                if self.heredocs:
                    raise _StopError("a heredoc has no body")
                self.at += len(end)
                return
            self.command(joint)
            self.blanks_and_comments()
            joint = self.joint(end)

    def blanks_and_comments(self) -> None:
        self.blanks()
        if self.peek() == "#":
            if self.depth:
                raise _StopError("a comment stands inside a substitution")
            newline = self.text.find("\n", self.at)
            self.at = len(self.text) if newline < 0 else newline

    def newline(self) -> None:
        self.at += 1
        for delimiter, quoted in self.heredocs:
            self.body(delimiter, quoted)
        self.heredocs.clear()

    def body(self, delimiter: str, quoted: bool) -> None:
        while self.at < len(self.text):
            newline = self.text.find("\n", self.at)
            stop = len(self.text) if newline < 0 else newline
            line = self.text[self.at : stop]
            self.at = min(stop + 1, len(self.text))
            if line == delimiter:
                # Stand on the newline that ends the heredoc, which also separates what follows.
                if newline >= 0:
                    self.at = newline + 1
                return
            if not quoted and any(char in line for char in "$`\\"):
                raise _StopError("an unquoted heredoc contains an expansion")
        raise _StopError("a heredoc is not closed")

    def joint(self, end: str) -> Joint:
        two, char = self.peek(2), self.peek()
        if two in ("&&", "||"):
            self.at += 2
            return "&&" if two == "&&" else "||"
        if two in (";;", ";&", "|&"):
            raise _StopError(f"it contains {two}")
        if char == ";" or char == "|" or char == "&":
            self.at += 1
            return ";" if char == ";" else "|" if char == "|" else "&"
        if char == "\n" or not char or (end and char == end):
            return "\n"
        raise _StopError(f"it contains {char} outside quotes")

    def command(self, joint: Joint) -> None:
        start = self.at
        words: list[Word] = []
        assignments: list[tuple[str, Word]] = []
        redirects: list[Redirect] = []
        while True:
            self.blanks()
            char = self.peek()
            if not char or char in "\n;|" or (char == "#"):
                break
            if char == ")":
                if self.depth:
                    break
                raise _StopError("a parenthesis is not opened")
            if char == "&" and self.peek(2) != "&>":
                break
            if char in "<>&" or self.descriptor():
                redirect = self.redirect()
                if redirect is not None:
                    redirects.append(redirect)
                continue
            if words:
                words.append(self.word())
            elif named := _ASSIGNMENT.match(self.text, self.at):
                assignments.append(self.assignment(named))
            else:
                words.append(self.name())
        if not (words or assignments or redirects):
            raise _StopError("a command is missing")
        command = Command(tuple(words), tuple(assignments), tuple(redirects), joint, self.depth)
        self.commands.append((start, command))

    def assignment(self, named: re.Match[str]) -> tuple[str, Word]:
        self.at = named.end()
        value = self.word(assigned=True) if self.peek() not in ("", *_ENDS_WORD) else Word("")
        if self.peek() == "(":
            raise _StopError("it assigns an array")
        return named.group()[:-1], value

    def name(self) -> Word:
        """The word that says what a command is: neither quoted nor a pattern, an option or a word of the shell."""
        if _ODD_ASSIGNMENT.match(self.text, self.at):
            raise _StopError("it assigns in an unusual way")
        start = self.at
        word = self.word()
        if self.text[start : self.at] in _RESERVED:
            raise _StopError(f"it contains the shell word {word.text}")
        if self.text[start : self.at] != word.text and word.known:
            raise _StopError("a command's name is quoted or escaped")
        if word.glob is not None:
            raise _StopError("a command's name is a pattern")
        if word.text.startswith(("-", "+")):
            raise _StopError("a command's name reads as an option")
        return word

    def descriptor(self) -> bool:
        """Whether a file descriptor number directly before `<` or `>` stands here."""
        at = self.at
        while at < len(self.text) and self.text[at].isdigit() and self.text[at].isascii():
            at += 1
        return at > self.at and self.text[at : at + 1] in ("<", ">")

    def redirect(self) -> Redirect | None:
        while self.peek().isdigit():
            self.at += 1
        for operator in ("&>>", "<<<", "<<-", "&>", ">>", ">|", "<>", "<<", ">&", "<&", ">", "<"):
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                break
        else:
            raise _StopError("it contains a redirect of an unknown form")
        if operator == "<<-":
            raise _StopError("it contains <<-")
        if operator == "<<":
            self.heredoc()
            return Redirect("<<", Word(""))
        if operator in (">&", "<&"):
            match = _DUPLICATE.match(self.text, self.at)
            if match:
                self.at = match.end()
                return None
            if operator == "<&":
                raise _StopError("it duplicates a descriptor in an unusual way")
        self.blanks()
        if not self.peek() or self.peek() in _ENDS_WORD or self.peek() == "#":
            raise _StopError("a redirect has no literal target")
        target = self.word()
        if target.text.isdigit() and self.peek() in ("<", ">"):
            raise _StopError("a number stands between two redirects")
        if not target.known or target.glob is not None or not target.text:
            raise _StopError("a redirect's target is not a literal")
        return Redirect(operator, target)

    def heredoc(self) -> None:
        if self.depth:
            raise _StopError("a heredoc stands inside a substitution")
        self.blanks()
        quote = self.peek()
        quoted = quote in ("'", '"')
        if quoted:
            self.at += 1
        match = _DELIMITER.match(self.text, self.at)
        if not match:
            raise _StopError("a heredoc's delimiter is unusual")
        self.at = match.end()
        if quoted:
            if self.peek() != quote:
                raise _StopError("a heredoc's delimiter is unusual")
            self.at += 1
        if self.peek() and self.peek() not in _ENDS_WORD:
            raise _StopError("a heredoc's delimiter is unusual")
        self.heredocs.append((match.group(), quoted))

    def word(self, assigned: bool = False) -> Word:
        start = self.at
        pieces = _Pieces()
        while self.at < len(self.text):
            plain = _PLAIN.match(self.text, self.at)
            if plain:
                pieces.plain(plain.group())
                self.at = plain.end()
                continue
            match self.text[self.at]:
                case "(":
                    raise _StopError("it contains a parenthesis outside quotes")
                case char if char in _ENDS_WORD:
                    break
                case "'":
                    self.single_quoted(pieces)
                case '"':
                    self.at += 1
                    pieces.known = self.double_quoted(pieces.literal) and pieces.known
                case "\\":
                    self.escaped(pieces)
                case "$":
                    self.bare_dollar(pieces)
                case "`":
                    raise _StopError("it contains a backtick")
                case "~":
                    self.tilde(start, assigned, pieces.literal)
                case char:
                    pieces.character(char)
                    self.at += 1
        if self.at == start:
            raise _StopError(f"a word is missing before {self.peek()!r}")
        return pieces.word(self.text[start : self.at], self.peek(), assigned)

    def single_quoted(self, pieces: _Pieces) -> None:
        close = self.text.find("'", self.at + 1)
        if close < 0:
            raise _StopError("a quote is not closed")
        pieces.literal(self.text[self.at + 1 : close])
        self.at = close + 1

    def escaped(self, pieces: _Pieces) -> None:
        char = self.text[self.at + 1 : self.at + 2]
        if not char or char in "\n\t" or not char.isascii():
            raise _StopError("a backslash stands before a blank, a line end or a foreign character")
        pieces.literal(char)
        self.at += 2

    def bare_dollar(self, pieces: _Pieces) -> None:
        """A dollar sign outside quotes: one that stands for itself, or an expansion."""
        following = self.text[self.at + 1 : self.at + 2]
        if following == "-":
            raise _StopError("it expands a variable")
        if not following or following in " \t\n;|&<>)/,.:%+=":
            pieces.literal("$")
            self.at += 1
            return
        value = self.dollar()
        if value is None:
            pieces.known, pieces.split = False, True
        elif _PLAIN.fullmatch(value):
            pieces.literal(value)
        else:
            raise _StopError("an unquoted variable may split")

    def tilde(self, start: int, assigned: bool, literal: Callable[[str], None]) -> None:
        before = self.text[self.at - 1] if self.at > start else ""
        if self.at == start and not assigned:
            following = self.text[self.at + 1 : self.at + 2]
            if following and following != "/" and following not in _ENDS_WORD:
                raise _StopError("it names another account's home")
            if not self.home:
                raise _StopError("the home directory is not known")
            literal(self.home)
        elif assigned or before in ("=", ":"):
            raise _StopError("a tilde may expand inside a word")
        else:
            literal("~")
        self.at += 1

    def double_quoted(self, literal: Callable[[str], None]) -> bool:
        """Read up to the closing quote. Whether all of it is known."""
        known = True
        while True:
            match = _QUOTED_RUN.match(self.text, self.at)
            if match:
                literal(match.group())
                self.at = match.end()
            char = self.peek()
            if not char:
                raise _StopError("a quote is not closed")
            if char == '"':
                self.at += 1
                if not match and self.text[self.at - 2] == '"':
                    literal("")
                return known
            if char == "`":
                raise _StopError("it contains a backtick")
            following = self.text[self.at + 1 : self.at + 2]
            if char == "\\":
                if following == "\n":
                    raise _StopError("a line is continued inside quotes")
                literal(following if following and following in '$`"\\' else char + following)
                self.at += 2 if following else 1
                continue
            if following and (following.isalnum() or following in "_({?#!@*$-'\"") and following != '"':
                value = self.dollar()
                if value is None:
                    known = False
                else:
                    literal(value)
            else:
                literal("$")
                self.at += 1

    def dollar(self) -> str | None:
        """Read an expansion: its value, or None when only running it would tell."""
        match = _NAMED.match(self.text, self.at)
        if match:
            self.at = match.end()
            if (match.group(1) or match.group(2)) == "HOME" and self.home:
                return self.home
            return None
        if self.peek(2) == "$(" and self.peek(3) != "$((":
            if self.depth >= DEEPEST:
                raise _StopError("substitutions are nested too deep")
            self.at += 2
            self.depth += 1
            before = len(self.commands)
            self.list_until(")")
            if len(self.commands) == before:
                raise _StopError("a substitution is empty")
            self.depth -= 1
            return None
        raise _StopError("it expands a variable or computes")
