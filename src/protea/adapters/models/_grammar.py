"""The language of the offline model: what a person wrote → steps to take. Pure, and linear in the text's length.

`read` is the only entry. A prompt is understood as a whole or not at all: where one part of it makes no sense here,
nothing of it is done, so text that was pasted or piped in is not run by accident. `docs/offline.md` is its manual.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from protea.adapters.models._changing import creating, moving, replacing
from protea.adapters.models._looking import listing, reading, searching, tallying
from protea.adapters.models._wanted import (
    Append,
    Ask,
    Cannot,
    Create,
    Help,
    Overview,
    Plan,
    Propose,
    Run,
    RunTests,
    Send,
    Step,
    Watch,
)
from protea.adapters.models._words import (
    BULLET,
    FILLERS,
    GREETINGS,
    NAMED,
    PLANNING,
    PROPOSING,
    REPLACING,
    RUNNING,
    SENDING,
    UNDOING,
    VERBS,
    WRITING,
    Token,
    index,
    is_path,
    rest_of,
    skip,
    tokens,
    without_fillers,
)

LONGEST = 20_000
"""Characters beyond which only a text to be written into a file is looked for."""
MOST_STEPS = 40


class Understood(msgspec.Struct, frozen=True):
    steps: tuple[tuple[Step, str], ...] = ()
    """Each with the words it was read from."""
    unclear: tuple[str, ...] = ()
    """Parts that make no sense here. Then there are no steps."""


def read(text: str) -> Understood:
    """What is to be done, in order."""
    if len(text) > LONGEST:
        step = _long_text(text)
        return Understood(((step, text[:80]),)) if step else Understood(unclear=(text[:80] + " …",))
    steps: list[tuple[Step, str]] = []
    unclear: list[str] = []
    for part in _parts(tokens(text.replace("\r\n", "\n"))):
        said = _said(text.replace("\r\n", "\n"), part)
        made = _steps_of(part, text.replace("\r\n", "\n"))
        if made is None:
            if not _is_heading(part):
                unclear.append(said)
        else:
            steps += [(step, said) for step in made]
    if len(steps) > MOST_STEPS:
        unclear.append(f"more than {MOST_STEPS} steps")
    if unclear or not steps:
        return Understood(unclear=tuple(unclear[:5]) or (text.strip()[:80],))
    return Understood(tuple(steps))


def _said(text: str, part: Sequence[Token]) -> str:
    words = " ".join(text[part[0].start : part[-1].end].split())
    return words if len(words) <= 160 else words[:157] + " …"


def _is_heading(part: Sequence[Token]) -> bool:
    """`Please do this:` above a list, or a greeting."""
    return part[-1].after == ":" or all(token.low in GREETINGS | FILLERS for token in part)


def _long_text(text: str) -> Step | None:
    head, mark, rest = text.partition("\n")
    made = (
        _steps_of([*tokens(head[:400]), Token("fence", _unfenced(rest), len(head), len(text))], text) if mark else None
    )
    return made[0] if made and isinstance(made[0], Create | Append) else None


def _unfenced(text: str) -> str:
    lines = text.strip("\n").split("\n")
    if len(lines) > 1 and lines[0].startswith("```") and lines[-1].startswith("```"):
        return "\n".join(lines[1:-1]) + "\n"
    return text


_JOINTS = frozenset(("then", "afterwards", "finally"))


def _parts(words: list[Token]) -> list[list[Token]]:
    """The prompt cut into what is done after one another."""
    out: list[list[Token]] = []
    part: list[Token] = []
    whole = False  # the rest is the text of a file

    def close() -> None:
        nonlocal part
        if part:
            out.append(part)
        part = []

    for place, token in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else None
        if whole or _is_plan(part):
            part.append(token)
        elif token.kind == "semicolon":
            close()
        elif token.kind == "line":
            # A block of text may begin on the line below the words that announce it.
            if part and following is not None and _announces(part) and following.kind != "fence":
                whole = _takes_text(part)
                part.append(token)
                if not whole:
                    close()
            elif not (part and following is not None and (following.kind == "fence" or following.kind == "line")):
                close()
        elif not part and BULLET.fullmatch(token.text) and token.kind == "word" and following is not None:
            continue
        elif part and token.low in _JOINTS and not _is_command_line(part, until_then=True):
            if part[-1].low == "and":
                part.pop()
            close()
        elif part and _starts_anew(part, token, following):
            if part[-1].low == "and":
                part.pop()
            close()
            part.append(token)
        else:
            part.append(token)
    close()
    return [trimmed for part in out if (trimmed := _trimmed(part))]


def _trimmed(part: list[Token]) -> list[Token]:
    while part and part[-1].kind == "line":
        part = part[:-1]
    while part and part[-1].low in ("and", "please", "then"):
        part = part[:-1]
    return part


def _announces(part: list[Token]) -> bool:
    return part[-1].after == ":" or part[-1].low in ("with", "containing", "content", "following")


def _takes_text(part: list[Token]) -> bool:
    words = without_fillers(part)
    return bool(words) and words[0].low in WRITING


def _is_plan(part: list[Token]) -> bool:
    """A plan, or what an agent is sent for, is what stands behind the word, to the end."""
    if len(part) >= 8:
        return _is_plan(part[:7])
    if not part:
        return False
    words = without_fillers(part)
    sends = words[0].low in SENDING and any(word.low == "agent" for word in words)
    return words[0].low in PLANNING | PROPOSING or sends or words[0].low.startswith(NAMED)


def _is_command_line(part: list[Token], *, until_then: bool = False) -> bool:
    """Whether the words are a shell command, which may hold `and`: it ends at `then`, `;` or the line's end."""
    words = without_fillers(part)
    if until_then or not words:
        return False
    if words[0].low in ("git", "$", "!"):
        return True
    return words[0].low in RUNNING and len(words) > 1 and not words[1].quoted and words[1].low not in ("the", "all")


def _starts_anew(part: list[Token], token: Token, following: Token | None) -> bool:
    if token.low not in VERBS or _is_command_line(part):
        return False
    if token.low in REPLACING and part[0].low in ("in", "edit", "update"):
        return False  # `in FILE, replace A with B`
    last = part[-1]
    if last.after in (".", "!", "?"):
        return True
    if last.low != "and" and last.after != ",":
        return False
    # `replace A and show with …`, `find every read and write`: a verb only where something follows it.
    return following is not None and following.kind in ("word", "quote", "code")


# ── one part ──────────────────────────────────────────────────────────────────────────────────────────────────────

_TESTS = re.compile(r"(?:(?:all|the|our|my|its|full|whole|unit)\s+)*(?:tests?|test\s+suite|suite)(?:\s+in\s+(\S+))?$")
_HELP = frozenset(
    (
        "help",
        "?",
        "hi",
        "hello",
        "hey",
        "/help",
        "what can you do",
        "who are you",
        "what are you",
        "how do you work",
        "what do you understand",
        "help me",
        "what can i ask",
        "which commands are there",
        "are you there",
        "which model are you",
        "what model are you",
    )
)
_OVERVIEW = re.compile(
    r"(?:what(?:'s| is)|describe|show|tell me about|look at|explore|give me an overview of|overview of)"
    r"\s+(?:this|the|my)\s+(?:project|repo|repository|codebase|code base|folder|directory)(?:\s+about)?$"
)


def _steps_of(part: Sequence[Token], text: str) -> list[Step] | None:
    """The steps a part of the prompt asks for; None where it makes no sense here."""
    words = without_fillers(part)
    if not words:
        return None
    plain = " ".join(token.low or "`" for token in words)
    if plain in _HELP:
        return [Help()]
    if _OVERVIEW.match(plain):
        return [Overview()]
    for reader in _READERS:
        step = reader(words, text)
        if step is not None:
            return [step]
    return None


def _helping(words: Sequence[Token], text: str) -> Step | None:
    if words[0].low in ("help", "/help") and len(words) <= 3:
        return Help()
    if words[0].low in UNDOING and (len(words) < 6):
        return Cannot("undo")
    if words[0].low == "roll" and len(words) > 1 and words[1].low == "back":
        return Cannot("undo")
    return None


def _running(words: Sequence[Token], text: str) -> Step | None:
    first = words[0]
    if first.text in ("$", "!") and len(words) > 1:
        return Run(_command(words, text, 1))
    if first.kind == "word" and first.text[:1] in ("$", "!") and len(first.text) > 1:
        return Run(text[first.start + 1 : words[-1].end].strip())
    if first.low == "git" and len(words) > 1:
        return Run(_command(words, text, 0))
    if first.low == "test" and len(words) <= 3:
        return RunTests()
    if first.low not in RUNNING or len(words) < 2:
        return None
    plain = " ".join(token.text if is_path(token) else token.low for token in words[1:])
    found = _TESTS.fullmatch(plain)
    if found is not None:
        return RunTests(found.group(1))
    skipped = skip(words[1:], ("the", "command", "shell", "this", "following"))
    if not skipped:
        return None
    if skipped[0].quoted:
        behind = " ".join(token.low for token in skipped[1:]) == "in the background"
        return Run(skipped[0].text.strip(), behind) if skipped[0].text.strip() else None
    if first.low in ("start", "launch"):
        return None
    return Run(_command(words, text, len(words) - len(skipped)))


def _command(words: Sequence[Token], text: str, start: int) -> str:
    only = words[start:]
    if len(only) == 1 and only[0].quoted:
        return only[0].text.strip()
    return rest_of(words, text, start)


def _git(words: Sequence[Token], text: str) -> Step | None:
    """`show the git status`, `what changed`."""
    plain = " ".join(token.low for token in words)
    found = re.fullmatch(r"(?:show|what is|what's|see|print)(?: me)?(?: the)? git (status|diff|log|branch)", plain)
    if found is not None:
        return Run("git log --oneline -n 20" if found.group(1) == "log" else f"git {found.group(1)}")
    if re.fullmatch(r"(?:what (?:has )?changed|show (?:me )?(?:the |my )?(?:changes|diff))", plain):
        return Run("git diff")
    return None


def _watching(words: Sequence[Token], text: str) -> Step | None:
    """``watch `make serve` for ERROR``."""
    if words[0].low != "watch" or len(words) != 4 or not words[1].quoted or words[2].low != "for":
        return None
    return Watch(words[1].text.strip(), words[3].text)


def _sending(words: Sequence[Token], text: str) -> Step | None:
    """`send an agent to find every TODO`, `@agent-reviewer find every TODO`."""
    name = words[0].text[len(NAMED) :] if words[0].low.startswith(NAMED) else None
    if name is not None:
        rest = skip(words[1:], ("to", "please"))
    elif words[0].low in SENDING:
        rest = skip(words[1:], ("an", "one", "the"))
        if len(rest) < 2 or rest[0].low != "agent" or rest[1].low not in ("to", "that", "and"):
            return None
        rest = rest[2:]
    else:
        return None
    if not rest:
        return None
    prompt = rest_of(words, text, len(words) - len(rest)).strip()
    behind = re.fullmatch(r"(.*?),?\s+in the background\.?", prompt, re.DOTALL)
    return Send(behind[1] if behind else prompt, behind is not None, name)


def _proposing(words: Sequence[Token], text: str) -> Step | None:
    """`propose: create a.txt with "x"; run the tests`. What it cannot do it does not propose."""
    if words[0].low not in PROPOSING:
        return None
    rest = skip(words[1:], ("a", "the", "plan", "to"))
    if not rest:
        return None
    items = []
    for part in _parts([token for token in rest if not (token.kind == "word" and BULLET.fullmatch(token.text))]):
        made = _steps_of(part, text)
        if not made or any(isinstance(step, Propose) for step in made):
            return None
        items.append((_said(text, part), tuple(made)))
    return Propose(tuple(items)) if items else None


def _planning(words: Sequence[Token], text: str) -> Step | None:
    if words[0].low == "make" and index(words, "plan") in (1, 2):
        words = words[index(words, "plan") :]
    if words[0].low not in PLANNING:
        return None
    rest = skip(words[1:], ("to", "how", "for", "list", "out", "the", "following", "and"))
    items: list[str] = []
    begun: int | None = None
    for place, token in enumerate(rest):
        ends = token.kind in ("line", "semicolon") or (token.low == "then" and begun is not None)
        if begun is None and not ends and not (token.kind == "word" and BULLET.fullmatch(token.text)):
            begun = token.start
        if begun is not None and (ends or token.after in (",", ".") or place == len(rest) - 1):
            said = text[begun : token.start if ends else token.end].strip().rstrip(",.;:")
            items.append(said.removeprefix("and ").removesuffix(" and").strip(" ,"))
            begun = None
    items = [item for item in items if item]
    return Plan(tuple(items)) if items else None


def _asking(words: Sequence[Token], text: str) -> Step | None:
    if words[0].low != "ask" or len(words) < 3:
        return None
    rest = skip(words[1:], ("me", "us", "the", "user"))
    if not rest:
        return None
    if rest[0].quoted:
        options = tuple(token.text for token in rest[1:] if token.quoted)
        return Ask(rest[0].text, options[:8])
    return Ask(rest_of(words, text, len(words) - len(rest)))


_READERS: tuple[Callable[[Sequence[Token], str], Step | None], ...] = (
    _helping,
    _running,
    _watching,
    _sending,
    _proposing,
    _git,
    _planning,
    _asking,
    replacing,
    moving,
    creating,
    tallying,
    reading,
    listing,
    searching,
)
