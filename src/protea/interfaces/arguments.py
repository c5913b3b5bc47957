"""The words of a command line, read against the table in `manual`. Called by `cli` before anything else is loaded."""

from __future__ import annotations

from protea.domain.spelling import nearest
from protea.interfaces.manual import (
    COMMANDS,
    PLANNED,
    PLANNED_WORDS,
    Command,
    Flag,
    command,
    flags_of,
)


class Mistake(Exception):
    """What was typed cannot be meant. `str` is one line that names the mistake and the mend.

    Not a `UsageError`, because that one's module loads msgspec, which a misspelt flag need not wait for.
    """


class Arguments:
    """What was typed, taken apart."""

    __slots__ = ("path", "values", "words")

    def __init__(self, path: tuple[Command, ...], words: list[str], values: dict[str, list[str]]) -> None:
        self.path = path
        """The command and the word under it; empty for `protea` itself."""
        self.words = words
        """What is neither command, flag nor a flag's value."""
        self.values = values
        """Flag (its `key`) → its values in order; a switch has one empty value."""

    @property
    def name(self) -> str:
        """`sessions list`; empty for `protea` itself."""
        return " ".join(each.name for each in self.path)

    def has(self, key: str) -> bool:
        return key in self.values

    def text(self, key: str) -> str | None:
        """The value of a flag; the last one wins."""
        values = self.values.get(key)
        return values[-1] if values else None

    def all(self, key: str) -> tuple[str, ...]:
        """Every value of a flag that may repeat."""
        return tuple(self.values.get(key, ()))

    def whole(self, key: str) -> int | None:
        """A value that counts something. Raises `Mistake` unless it is a whole number above 0."""
        text = self.text(key)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) < 1:
            raise Mistake(f"--{key.replace('_', '-')} takes a whole number from 1, not '{text}'")
        return int(text)

    def number(self, key: str) -> float | None:
        """A value that measures something. Raises `Mistake` unless it is a finite number above 0."""
        text = self.text(key)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 < value < 1e12:
            raise Mistake(f"--{key.replace('_', '-')} takes a number above 0, not '{text}'")
        return value


def parse(arguments: list[str]) -> Arguments:
    """Take a command line apart. Raises `Mistake`."""
    return _Reader(arguments).read()


class _Reader:
    def __init__(self, arguments: list[str]) -> None:
        self.tokens = arguments
        self.at = 0
        self.path: tuple[Command, ...] = ()
        self.words: list[str] = []
        self.values: dict[str, list[str]] = {}
        before_dashes = arguments[: arguments.index("--")] if "--" in arguments else arguments
        self.printing = any(each in ("-p", "--print") or each.startswith("--print=") for each in before_dashes)
        """With `-p` every word belongs to the prompt, `protea -p doctor` included."""

    def read(self) -> Arguments:
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token == "--":
                self.words += self.tokens[self.at :]
                break
            if token.startswith("--"):
                self._long(token)
            elif token.startswith("-") and len(token) > 1:
                self._short(token)
            else:
                self._word(token)
        read = Arguments(self.path, self.words, self.values)
        if not read.has("help") and not read.has("version"):
            self._complete(read)
        return read

    def _word(self, word: str) -> None:
        if self.printing or self.words:
            self.words.append(word)
        elif not self.path:
            self._first(word)
        elif self.path[-1].subcommands:
            self._second(word)
        else:
            self.words.append(word)

    def _first(self, word: str) -> None:
        if (found := command(word)) is not None:
            self._enter(found)
        elif word in PLANNED:
            raise Mistake(
                f"this build of Protea cannot do '{word}' ({PLANNED[word]}) yet; 'protea --help' lists what it can"
            )
        else:
            self.words.append(word)

    def _second(self, word: str) -> None:
        here = self.path[-1]
        for each in here.subcommands:
            if each.name == word:
                self._enter(each)
                return
        if word in PLANNED_WORDS.get(here.name, ()):
            raise Mistake(f"this build of Protea cannot do '{here.name} {word}' yet")
        names = [each.name for each in here.subcommands]
        guess = nearest(word, names)
        mend = f"did you mean '{guess}'?" if guess else "there are: " + ", ".join(names)
        raise Mistake(f"'{here.name}' has no '{word}'; {mend}")

    def _enter(self, found: Command) -> None:
        self.path += (found,)
        if found.subcommands:
            return
        known = {flag.key for flag in flags_of(self.path)}
        for key in self.values:  # flags that came before the command
            if key not in known:
                raise Mistake(f"--{key.replace('_', '-')} is not a flag of 'protea {self._name()}'")

    def _name(self) -> str:
        return " ".join(each.name for each in self.path)

    def _long(self, token: str) -> None:
        name, equals, value = token.partition("=")
        flag = self._find(name)
        if flag.key == "print":
            self._put(flag, "")
            if equals:
                self.words.append(value)
        elif not flag.metavar:
            if equals:
                raise Mistake(f"{name} takes no value")
            self._put(flag, "")
        elif equals:
            self._put(flag, value)
        else:
            self._put(flag, self._following(flag, name))

    def _short(self, token: str) -> None:
        for place in range(1, len(token)):
            name = "-" + token[place]
            flag = self._find(name, token)
            if not flag.metavar:
                self._put(flag, "")
                continue
            rest = token[place + 1 :].removeprefix("=")
            self._put(flag, rest or self._following(flag, name))
            return

    def _following(self, flag: Flag, name: str) -> str:
        """The next token as a flag's value."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        optional = flag.metavar.startswith("[")
        if token is None or (token.startswith("-") and token != "-" and not token[1:2].isdigit()):
            if optional:
                return ""
            raise Mistake(f"{name} needs a value: {name} {flag.metavar}")
        if optional and (not token or any(each.isspace() for each in token)):
            return ""  # `-r "and now the tests"`: a sentence is a prompt, not an id
        self.at += 1
        return token

    def _put(self, flag: Flag, value: str) -> None:
        if flag.metavar and not flag.metavar.startswith("[") and not value:
            raise Mistake(f"{flag.names[-1]} needs a value: {flag.names[-1]} {flag.metavar}")
        if flag.choices and value not in flag.choices:
            guess = nearest(value, list(flag.choices))
            mend = f"did you mean '{guess}'?" if guess else "it takes " + ", ".join(flag.choices)
            raise Mistake(f"{flag.names[-1]} cannot be '{value}'; {mend}")
        if flag.key == "set" and "=" not in value[1:]:
            raise Mistake(f"--set takes KEY=VALUE, not '{value}'")
        if flag.repeat:
            self.values.setdefault(flag.key, []).append(value)
        else:
            self.values[flag.key] = [value]

    def _find(self, name: str, token: str = "") -> Flag:
        for flag in flags_of(self._likely_path()):
            if name in flag.names:
                return flag
        raise Mistake(self._unknown(name, token))

    def _likely_path(self) -> tuple[Command, ...]:
        """Flags between a command and its second word belong to `list` where that word is left out."""
        return self._with_default(self.path) if self.path and self.path[-1].subcommands else self.path

    def _with_default(self, path: tuple[Command, ...]) -> tuple[Command, ...]:
        for name in ("list", "show"):
            for each in path[-1].subcommands:
                if each.name == name:
                    return (*path, each)
        return path

    def _unknown(self, name: str, token: str) -> str:
        here = f" of 'protea {self._name()}'" if self.path else ""
        what = f"unknown flag {name}{here}" + (f" in {token}" if len(token) > 2 else "")
        known = [each for flag in flags_of(self._likely_path()) for each in flag.names if each.startswith("--")]
        guess = nearest(name if len(token) <= 2 else "-" + token, known) if len(name) > 2 or len(token) > 2 else None
        if guess:
            return f"{what}; did you mean {guess}?"
        if self.path and any(name in flag.names for flag in flags_of(())):
            return f"{name} is not a flag of 'protea {self._name()}'"
        return f"{what}; '{' '.join(['protea', *(each.name for each in self.path)])} --help' lists them"

    def _complete(self, read: Arguments) -> None:
        """Fill in a second word that was left out, and count the positional arguments."""
        if not self.path:
            if not self.printing and (meant := _nearly_a_command(self.words)):
                raise Mistake(f"no command '{self.words[0]}'; did you mean '{meant}'?")
            return
        if self.path[-1].subcommands:
            fuller = self._with_default(self.path)
            if fuller == self.path:
                names = ", ".join(each.name for each in self.path[-1].subcommands)
                raise Mistake(f"'protea {self._name()}' needs one of: {names}")
            read.path = self.path = fuller
        last = self.path[-1]
        least, most = _arity(last)
        if len(read.words) < least:
            raise Mistake(f"'protea {self._name()}' needs {last.arguments}")
        if len(read.words) > most and not last.rest:
            takes = f"takes only {last.arguments}" if most else "takes no arguments"
            raise Mistake(f"'protea {self._name()}' {takes}; '{read.words[most]}' is one too many")


def again(arguments: Arguments, flags: tuple[Flag, ...]) -> tuple[str, ...]:
    """The words that say once more what was said with `flags`."""
    return tuple(
        f"{flag.names[-1]}={value}" if flag.metavar else flag.names[-1]
        for flag in flags
        for value in arguments.all(flag.key)
    )


def _arity(last: Command) -> tuple[int, int]:
    least = most = 0
    optional = False
    for part in last.arguments.split():
        optional = optional or part.startswith("[")
        most += 1
        least += not optional
        optional = optional and not part.endswith("]")
    return least, most


def _nearly_a_command(words: list[str]) -> str | None:
    """`sessions list` of `sesions list`, which nobody means as a prompt: its second word is one of that command's."""
    if len(words) < 2:
        return None
    guess = nearest(words[0], [each.name for each in COMMANDS])
    near = command(guess) if guess else None
    if near is None or words[1] not in [each.name for each in near.subcommands]:
        return None
    return f"{near.name} {words[1]}"


def unknown_command(word: str) -> str:
    """What to say of a single word that is no command, where there is no terminal for it to be a prompt."""
    guess = nearest(word, [each.name for each in COMMANDS] + list(PLANNED))
    mend = f"did you mean '{guess}'?" if guess else "'protea --help' lists them"
    return f"no command '{word}'; {mend} (as a prompt: protea -p '{word}')"
