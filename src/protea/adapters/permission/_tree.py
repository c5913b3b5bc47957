"""The second reader: tree-sitter's bash grammar, for everything a deny or ask rule could mean and for the comparison.

It is tolerant, so it is never believed alone when something is to be allowed. `rules` calls `read_tree`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from protea.domain.pattern import regex
from protea.domain.permission.shell.lexer import read_strictly
from protea.domain.permission.shell.script import Command, Loose, Redirect, Script, Word, listed

DEEPEST = 60
"""Levels of nesting followed inside one word."""
MOST = 64
"""Alternatives of a brace expansion or a loop's variable."""

_PARSER = Parser(Language(tree_sitter_bash.language()))
_FOREIGN = regex(r"[^\x00-\x7f]")
_WORDS = listed(
    """
    word number string raw_string ansi_c_string translated_string concatenation simple_expansion expansion
    command_substitution process_substitution arithmetic_expansion brace_expression extglob_pattern regex
    variable_name special_variable_name array
    """
)
_REDIRECTS = frozenset({"file_redirect", "herestring_redirect", "heredoc_redirect"})
_ANSI = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}


def read_tree(text: str, variables: dict[str, str]) -> Loose:
    """Every command that can be found in `text`. `variables` are the ones whose values are known (HOME, PWD)."""
    # The grammar's scanner asks tables of the C library about any code point, which can end the process. So it sees a
    # letter for each foreign character; bytes and characters then count alike, and words are cut from the real text.
    tree = _PARSER.parse(_as_letters(text))
    return _Walk(text, {name: [value] for name, value in variables.items()}).read(tree.root_node)


def _as_letters(text: str) -> bytes:
    return _FOREIGN.sub("Z", text).encode("ascii")


class _Walk:
    def __init__(self, source: str, variables: dict[str, list[str]]) -> None:
        self.source = source
        self.known = set(variables)
        self.variables = variables
        self.found: list[tuple[int, Command]] = []
        self.grouped: set[int] = set()
        """Groups of assignments that are done."""

    def read(self, root: Node) -> Loose:
        pending = [root]
        nodes: list[Node] = []
        while pending:
            node = pending.pop()
            nodes.append(node)
            pending.extend(reversed(node.children))
        redirected = self.redirects_by_owner(nodes)
        for node in nodes:
            self.visit(node, redirected)
        self.found.sort(key=lambda pair: pair[0])
        return Loose(tuple(command for _, command in self.found), not root.has_error)

    def raw(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte]

    def redirects_by_owner(self, nodes: list[Node]) -> dict[int, list[Node]]:
        """Node id of a command → the redirects written after it."""
        owned: dict[int, list[Node]] = {}
        for node in nodes:
            if node.type in _REDIRECTS and node.parent is not None:
                owner: Node | None = node.parent
                if owner is not None and owner.type == "redirected_statement":
                    owner = owner.child_by_field_name("body") or owner
                    while owner.type in ("list", "pipeline", "negated_command") and owner.named_children:
                        owner = owner.named_children[-1]
                if owner is not None:
                    owned.setdefault(owner.id, []).append(node)
        return owned

    def visit(self, node: Node, redirected: dict[int, list[Node]]) -> None:
        kind = node.type
        if kind in ("command", "declaration_command", "unset_command"):
            self.command(node, redirected.get(node.id, []))
        elif kind == "test_command":
            self.test(node, redirected.get(node.id, []))
        elif kind == "variable_assignment" and (node.parent is None or node.parent.type != "command"):
            if node.parent is not None and node.parent.type == "declaration_command":
                self.assignment(node)
            elif node.parent is not None and node.parent.type == "variable_assignments":
                if node.parent.id not in self.grouped:
                    self.grouped.add(node.parent.id)
                    pairs = [self.assignment(child) for child in node.parent.named_children if child.type == kind]
                    self.add(node, Command(assignments=tuple(pairs)))
            else:
                redirects, more = self.redirects(redirected.get(node.id, []))
                self.add(node, Command(tuple(more), (self.assignment(node),), redirects))
        elif kind == "for_statement":
            self.loop(node)
        elif kind == "ERROR":
            words = [word for child in node.named_children if child.type in _WORDS for word in self.words(child)]
            if words:
                self.add(node, Command(tuple(words)))
        elif node.id in redirected and kind not in ("heredoc_redirect",):
            redirects, more = self.redirects(redirected[node.id])
            self.add(redirected[node.id][0], Command(tuple(more), (), redirects))

    def add(self, node: Node, command: Command) -> None:
        self.found.append((node.start_byte, command))

    def command(self, node: Node, after: list[Node]) -> None:
        words: list[Word] = []
        assignments: list[tuple[str, Word]] = []
        redirects: list[Node] = []
        for child in node.children:
            if child.type == "variable_assignment" and node.type == "command" and not words:
                assignments.append(self.assignment(child))
            elif child.type in _REDIRECTS:
                redirects.append(child)
            elif child.type == "command_name":
                for part in child.children or [child]:
                    words.extend(self.words(part))
            elif child.type in _WORDS or child.type == "variable_assignment":
                words.extend(self.words(child))
            elif not child.is_named or child.type == "test_operator":
                words.append(Word(self.raw(child)))
        if after:
            # The grammar leaves a lone dash before a heredoc out of the tree.
            gap = self.source[node.end_byte : min(one.start_byte for one in after)].split()
            words.extend(Word("-") for piece in gap if piece == "-")
        more_redirects, more = self.redirects([*redirects, *(one for one in after if one not in redirects)])
        self.add(node, Command((*words, *more), tuple(assignments), more_redirects))

    def test(self, node: Node, after: list[Node]) -> None:
        raw = self.raw(node)
        redirects, more = self.redirects(after)
        strict = read_strictly(raw, (self.variables.get("HOME") or [""])[0]) if raw.startswith("[ ") else None
        if isinstance(strict, Script) and strict.commands:
            self.add(node, Command((*strict.commands[0].words, *more), (), redirects))
        else:
            parts = raw.split()
            self.add(
                node,
                Command((*(Word(part, known=index == 0) for index, part in enumerate(parts)), *more), (), redirects),
            )

    def assignment(self, node: Node) -> tuple[str, Word]:
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        key = self.raw(name) if name is not None else ""
        words = self.words(value, assigned=True) if value is not None else [Word("")]
        if key not in self.known:
            self.variables.setdefault(key, []).extend(word.text for word in words)
            del self.variables[key][MOST:]
        return key, words[0] if words else Word("", known=False)

    def loop(self, node: Node) -> None:
        name = node.child_by_field_name("variable")
        values: list[str] = []
        for child in node.children_by_field_name("value"):
            values.extend(word.text for word in self.words(child))
        if name is not None and self.raw(name) not in self.known:
            self.variables.setdefault(self.raw(name), []).extend(values[:MOST])

    def redirects(self, nodes: list[Node]) -> tuple[tuple[Redirect, ...], list[Word]]:
        found: list[Redirect] = []
        more: list[Word] = []
        for node in nodes:
            operator = next((child.type for child in node.children if not child.is_named), "")
            if node.type == "file_redirect":
                targets = [word for child in node.children_by_field_name("destination") for word in self.words(child)]
                raw = self.raw(node.children_by_field_name("destination")[0]) if targets else ""
                if operator in (">&", "<&") and re.fullmatch(r"\d+|-", raw):
                    more.extend(targets[1:])
                elif operator in (">&-", "<&-"):
                    more.extend(targets)
                elif targets:
                    found.append(Redirect(operator, targets[0]))
                    more.extend(targets[1:])
                else:
                    found.append(Redirect(operator, Word("", known=False)))
            elif node.type == "herestring_redirect":
                targets = [word for child in node.named_children if child.type in _WORDS for word in self.words(child)]
                found.append(Redirect("<<<", targets[0] if targets else Word("", known=False)))
            else:
                body = next((self.raw(child) for child in node.children if child.type == "heredoc_body"), "")
                found.append(Redirect("<<", Word(body)))
                more.extend(
                    word
                    for child in node.children_by_field_name("argument")
                    if child.type in _WORDS
                    for word in self.words(child)
                )
                inner, rest = self.redirects([c for c in node.children if c.type in _REDIRECTS])
                found.extend(inner)
                more.extend(rest)
        return tuple(found), more

    def words(self, node: Node, assigned: bool = False) -> list[Word]:
        """A node as words: several when braces or a loop's variable offer alternatives."""
        raw = self.raw(node)
        words: list[Word] = []
        for text, known, pattern in self.text(node, 0, True):
            globbed = pattern is not None and not assigned and raw != "["
            words.append(Word(text, known, pattern if globbed and known else None))
        if (
            0 < raw.count("{") < 9
            and ("," in raw or ".." in raw)
            and node.type in ("word", "concatenation", "brace_expression")
        ):
            words = [Word(text, known=False) for word in words for text in _braces(word.text)]
        return words[:MOST]

    def text(self, node: Node, depth: int, first: bool) -> list[tuple[str, bool, str | None]]:
        """(text, known, pattern if it globs) of a word's node, alternatives as further entries."""
        kind = node.type
        raw = self.raw(node)
        if depth > DEEPEST:
            return [("", False, None)]
        if kind in ("raw_string",):
            return [(raw[1:-1], True, None)]
        if kind == "ansi_c_string":
            return [(_ansi(raw[2:-1]), False, None)]
        if kind in ("string", "translated_string"):
            return self.quoted(node, depth)
        if kind in ("concatenation", "command_name") and node.children:
            return self.joined(node, depth, first)
        if kind in ("simple_expansion", "expansion"):
            name = re.fullmatch(r"\$\{?([A-Za-z_]\w*)\}?", raw)
            if name and name.group(1) in self.variables:
                # The directory may be another one by then.
                sure = name.group(1) in self.known and name.group(1) != "PWD"
                return [(value, sure, None) for value in self.variables[name.group(1)][:MOST]] or [("", False, None)]
            fallback = re.fullmatch(r"\$\{\w+:?[-=]([^${}`]*)\}", raw)
            return [(fallback.group(1) if fallback else "", False, None)]
        if kind in ("command_substitution", "process_substitution", "arithmetic_expansion", "array"):
            return [("", False, None)]
        if kind == "variable_assignment":
            name_node, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            head = self.source[node.start_byte : value.start_byte] if value is not None else raw
            del name_node
            rest = self.text(value, depth + 1, False) if value is not None else [("", True, None)]
            return [(head + text, known, None) for text, known, _ in rest]
        return [_unescaped(raw, (self.variables.get("HOME") or [""])[0] if first else "")]

    def joined(self, node: Node, depth: int, first: bool) -> list[tuple[str, bool, str | None]]:
        whole: list[tuple[str, bool, str | None]] = [("", True, None)]
        at = node.start_byte
        for child in node.children:
            gap = self.source[at : child.start_byte]
            pieces = self.text(child, depth + 1, first and child.start_byte == node.start_byte)
            bare = child.type in ("word", "number") or not child.is_named
            combined = []
            for text, known, pattern in whole:
                for more, sure, glob in pieces:
                    literal = glob if glob is not None else re.sub(r"([*?\[\]\\])", r"\\\1", more) if not bare else more
                    before = pattern if pattern is not None else re.sub(r"([*?\[\\])", r"\\\1", text)
                    merged = before + gap + literal if pattern is not None or glob is not None else None
                    combined.append((text + gap + more, known and sure, merged))
            whole = combined[:MOST]
            at = child.end_byte
        return whole

    def quoted(self, node: Node, depth: int) -> list[tuple[str, bool, str | None]]:
        whole: list[tuple[str, bool, str | None]] = [("", True, None)]
        start = node.start_byte + (2 if node.type == "translated_string" else 1)
        end = node.end_byte - 1
        at = start
        inner = node.children[-1].children if node.type == "translated_string" and node.children else node.children
        for child in inner:
            if child.type in ("string_content", '"', '$"') or child.start_byte < at or child.end_byte > end:
                continue
            if not child.is_named:
                continue
            literal = _in_double_quotes(self.source[at : child.start_byte])
            pieces = self.text(child, depth + 1, False)
            following: list[tuple[str, bool, str | None]] = []
            following.extend((t + literal + more, k and sure, None) for t, k, _ in whole for more, sure, _ in pieces)
            whole = following[:MOST]
            at = child.end_byte
        tail = _in_double_quotes(self.source[at:end])
        return [(text + tail, known, None) for text, known, _ in whole]


def _in_double_quotes(text: str) -> str:
    return re.sub(r"\\([$`\"\\])|\\\n", lambda match: match.group(1) or "", text)


def _unescaped(raw: str, home: str) -> tuple[str, bool, str | None]:
    """A bare word: backslashes taken away, a leading tilde made the home directory, the pattern if it globs."""
    if home and (raw == "~" or raw.startswith("~/")):
        raw = home + raw[1:]
    if not any(char in raw for char in "\\*?["):
        return raw, True, None
    text: list[str] = []
    pattern: list[str] = []
    globbed = False
    at = 0
    while at < len(raw):
        char = raw[at]
        if char == "\\" and at + 1 < len(raw):
            at += 2
            if raw[at - 1] != "\n":
                text.append(raw[at - 1])
                pattern.append("\\" + raw[at - 1] if raw[at - 1] in "*?[]\\" else raw[at - 1])
            continue
        globbed = globbed or char in "*?["
        text.append(char)
        pattern.append(char)
        at += 1
    return "".join(text), True, "".join(pattern) if globbed else None


def _ansi(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        if code[0] in "xuU":
            return chr(int(code[1:], 16)) if len(code) > 1 and int(code[1:], 16) < 0x110000 else code
        if code[0] in "01234567":
            return chr(int(code, 8) % 256)
        if code[0] == "c":
            return chr(ord(code[1]) & 0x1F) if len(code) > 1 else ""
        return _ANSI.get(code, code)

    return re.sub(
        r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}|[0-7]{1,3}|c.|.)", one, text, flags=re.DOTALL
    )


def _braces(text: str) -> Iterator[str]:
    """`a{b,c}` → `ab`, `ac`; the first brace pair that holds a comma, then the next, up to MOST words."""
    done: list[str] = []
    pending = [text]
    while pending and len(done) + len(pending) < MOST:
        word = pending.pop(0)
        match = re.search(r"\{([^{}]*,[^{}]*)\}", word)
        if match is None:
            done.append(word)
        else:
            pending[:0] = [word[: match.start()] + part + word[match.end() :] for part in match.group(1).split(",")]
    yield from done
    yield from pending
