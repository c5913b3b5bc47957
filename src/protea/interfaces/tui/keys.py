"""Keys → actions: one table per context, several keymaps, what a person changes on top. Pure.

A key is written as Textual names it (`ctrl+p`, `shift+tab`, `escape`), a character that is typed as itself (`j`, `?`).
Several with blanks between are pressed one after the other: `ctrl+x m`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from protea.domain.spelling import nearest

Table = dict[str, dict[str, str]]
"""Context → keys → action."""

CONTEXTS: dict[str, str] = {
    "global": "everywhere",
    "composer": "while writing",
    "normal": "while writing in vim's normal mode",
    "suggestions": "while something is offered above the composer",
    "approval": "while a question is open and nothing is written",
    "transcript": "in the conversation",
    "pane": "in any side pane",
    "list": "in lists and pickers",
}

ACTIONS: dict[str, str] = {
    "app.palette": "everything that can be done, by name",
    "app.help": "the keys that work here",
    "app.quit": "leave",
    "app.clear_or_quit": "clear what is written; twice leaves",
    "app.quit_if_empty": "leave where nothing is written",
    "app.suspend": "to the shell; fg comes back",
    "app.settings": "settings",
    "app.theme": "choose a theme",
    "app.keymap": "choose a keymap",
    "app.mouse": "mouse on or off",
    "app.redraw": "draw everything again",
    "app.copy": "copy what is selected",
    "session.interrupt": "interrupt; with nothing running, twice goes back",
    "session.rewind": "go back to an earlier prompt",
    "session.mode": "the next permission mode",
    "session.model": "choose a model",
    "session.effort": "how hard the model thinks",
    "session.profile": "choose a profile",
    "session.sessions": "open another session",
    "session.background": "let what runs go on in the background",
    "session.inbox": "every question that waits, in all tabs",
    "session.info": "figures of this session",
    "tab.new": "a new session in a tab",
    "tab.close": "close this tab",
    "tab.next": "the next tab",
    "tab.previous": "the tab before",
    **{f"tab.{number}": f"tab {number}" for number in range(1, 10)},
    "pane.tree": "the file tree",
    "pane.viewer": "the viewer",
    "pane.diff": "what this session changed",
    "pane.todos": "the plan and the todo list",
    "pane.tasks": "background tasks",
    "pane.next": "the next pane",
    "pane.previous": "the pane before",
    "pane.zoom": "this pane alone, and back",
    "pane.wider": "more room for this pane",
    "pane.narrower": "less room for this pane",
    "pane.close": "close this pane",
    "focus.composer": "write",
    "focus.transcript": "to the conversation, to move in it",
    "transcript.expand": "open or close everything that is folded",
    "transcript.page_up": "a page up",
    "transcript.page_down": "a page down",
    "transcript.line_up": "a line up",
    "transcript.line_down": "a line down",
    "transcript.half_up": "half a page up",
    "transcript.half_down": "half a page down",
    "transcript.top": "the beginning",
    "transcript.bottom": "the end",
    "transcript.next": "the next block",
    "transcript.previous": "the block before",
    "transcript.left": "left",
    "transcript.right": "right",
    "transcript.word_left": "a word left",
    "transcript.word_right": "a word right",
    "transcript.line_begin": "the line's beginning",
    "transcript.line_end": "the line's end",
    "transcript.fold": "open or close this block",
    "transcript.unfold": "open this block",
    "transcript.close_fold": "close this block",
    "transcript.unfold_all": "open every block",
    "transcript.fold_all": "close every block",
    "transcript.copy": "copy what is selected, or this block",
    "transcript.select": "select from here",
    "transcript.select_lines": "select lines from here",
    "transcript.cancel": "give up what is selected or searched, else back to the composer",
    "transcript.search": "search",
    "transcript.search_next": "the next hit, further back",
    "transcript.search_previous": "the hit before, further down",
    "transcript.open": "open the file or address this is about",
    "composer.send": "send; while a turn runs, wait in line",
    "composer.steer": "send into the running turn",
    "composer.queue": "while a turn runs, wait in line; else complete",
    "composer.newline": "a new line",
    "composer.left": "left",
    "composer.right": "right",
    "composer.up": "up; from the first line the prompt before",
    "composer.down": "down; from the last line the next prompt",
    "composer.word_left": "a word left",
    "composer.word_right": "a word right",
    "composer.line_begin": "the line's beginning",
    "composer.line_end": "the line's end",
    "composer.text_begin": "the text's beginning",
    "composer.text_end": "the text's end",
    "composer.select_left": "select left",
    "composer.select_right": "select right",
    "composer.select_up": "select up",
    "composer.select_down": "select down",
    "composer.select_word_left": "select a word left",
    "composer.select_word_right": "select a word right",
    "composer.select_all": "select everything",
    "composer.back": "delete to the left",
    "composer.delete": "delete to the right",
    "composer.delete_or_quit": "delete to the right; leave where nothing is written",
    "composer.cut_word_left": "cut the word before",
    "composer.cut_word_right": "cut the word behind",
    "composer.cut_line_left": "cut to the line's beginning",
    "composer.cut_line_right": "cut to the line's end",
    "composer.yank": "put back what was cut",
    "composer.yank_earlier": "right after that, put back what was cut before it",
    "composer.mark": "set a mark: moving selects from here",
    "composer.swap_mark": "to the mark, and the mark to here",
    "composer.cut_region": "cut what is selected, else the word before",
    "composer.copy_region": "copy what is selected, here or in the conversation",
    "composer.swap": "exchange two characters",
    "composer.swap_words": "exchange two words",
    "composer.upper": "the rest of the word in capitals",
    "composer.lower": "the rest of the word in small letters",
    "composer.capital": "the word with a capital",
    "composer.undo": "undo",
    "composer.redo": "redo",
    "composer.paste": "paste, images too",
    "composer.editor": "write in $VISUAL or $EDITOR",
    "composer.stash": "put it aside, or take it back",
    "composer.history": "search what was written before",
    "composer.history_up": "the prompt before",
    "composer.history_down": "the next prompt",
    "composer.complete": "complete",
    "composer.clear": "clear",
    "composer.normal": "to vim's normal mode",
    "composer.unqueue": "take the last prompt in line back",
    "suggestions.next": "the next one",
    "suggestions.previous": "the one before",
    "suggestions.take": "take it",
    "suggestions.accept": "take it; a command that is whole is sent",
    "suggestions.close": "close",
    "approval.once": "allow once",
    "approval.session": "allow for this session",
    "approval.always": "allow from now on",
    "approval.deny": "refuse",
    "approval.comment": "add a comment",
    "approval.expand": "show all of it",
    "approval.page_up": "a page up, in the question where all of it is shown",
    "approval.page_down": "a page down, in the question where all of it is shown",
    "approval.edit": "change a plan before it is carried out",
    **{f"approval.{number}": f"answer {number}" for number in range(1, 10)},
    "list.up": "up",
    "list.down": "down",
    "list.page_up": "a page up",
    "list.page_down": "a page down",
    "list.top": "the first",
    "list.bottom": "the last",
    "list.below_up": "up, in what stands below a list",
    "list.below_down": "down, in what stands below a list",
    "list.take": "take it",
    "list.open": "open or close",
    "list.out": "to the folder above",
    "list.search": "search",
    "list.close": "close",
    "list.stop": "end the task that is marked",
    "list.steer": "tell the agent that is marked something",
    "list.resume": "let the agent that is marked go on",
}
"""What a key can be bound to."""

_MOVES = {
    "up": "list.up",
    "down": "list.down",
    "ctrl+p": "list.up",
    "ctrl+n": "list.down",
    "pageup": "list.page_up",
    "pagedown": "list.page_down",
    "shift+up": "list.below_up",
    "shift+down": "list.below_down",
    "home": "list.top",
    "end": "list.bottom",
    "enter": "list.take",
    "escape": "list.close",
    "ctrl+c": "list.close",
}

DEFAULT: Table = {
    "global": {
        "ctrl+c": "app.clear_or_quit",
        "ctrl+p": "app.palette",
        "shift+tab": "session.mode",
        "escape": "session.interrupt",
        "ctrl+o": "transcript.expand",
        "ctrl+t": "pane.todos",
        "ctrl+z": "app.suspend",
        "ctrl+b": "session.background",
        "ctrl+l": "app.redraw",
        "f1": "app.help",
        "pageup": "transcript.page_up",
        "pagedown": "transcript.page_down",
        "ctrl+up": "transcript.line_up",
        "ctrl+down": "transcript.line_down",
        "ctrl+home": "transcript.top",
        "ctrl+end": "transcript.bottom",
        "ctrl+shift+c": "app.copy",
        "alt+right": "pane.wider",
        "alt+left": "pane.narrower",
        "ctrl+tab": "tab.next",
        "ctrl+shift+tab": "tab.previous",
        **{f"alt+{number}": f"tab.{number}" for number in range(1, 10)},
        "ctrl+x m": "session.model",
        "ctrl+x p": "session.profile",
        "ctrl+x s": "session.sessions",
        "ctrl+x e": "session.effort",
        "ctrl+x r": "session.rewind",
        "ctrl+x i": "session.inbox",
        "ctrl+x o": "session.info",
        "ctrl+x t": "tab.new",
        "ctrl+x w": "tab.close",
        "ctrl+x n": "tab.next",
        "ctrl+x b": "tab.previous",
        **{f"ctrl+x {number}": f"tab.{number}" for number in range(1, 10)},
        "ctrl+x f": "pane.tree",
        "ctrl+x v": "pane.viewer",
        "ctrl+x d": "pane.diff",
        "ctrl+x l": "pane.todos",
        "ctrl+x k": "pane.tasks",
        "ctrl+x tab": "pane.next",
        "ctrl+x z": "pane.zoom",
        "ctrl+x right": "pane.wider",
        "ctrl+x left": "pane.narrower",
        "ctrl+x x": "pane.close",
        "ctrl+x c": "app.theme",
        "ctrl+x ,": "app.settings",
        "ctrl+x h": "app.help",
        "ctrl+x j": "focus.transcript",
        "ctrl+x enter": "composer.steer",
        "ctrl+x q": "app.quit",
        "ctrl+x u": "app.mouse",
        "ctrl+x y": "app.copy",
    },
    "composer": {
        "enter": "composer.send",
        "ctrl+enter": "composer.steer",
        "alt+enter": "composer.newline",
        "shift+enter": "composer.newline",
        "ctrl+j": "composer.newline",
        "left": "composer.left",
        "right": "composer.right",
        "up": "composer.up",
        "down": "composer.down",
        "ctrl+f": "composer.right",
        "alt+b": "composer.word_left",
        "alt+f": "composer.word_right",
        "ctrl+left": "composer.word_left",
        "ctrl+right": "composer.word_right",
        "home": "composer.line_begin",
        "end": "composer.line_end",
        "ctrl+a": "composer.line_begin",
        "ctrl+e": "composer.line_end",
        "shift+left": "composer.select_left",
        "shift+right": "composer.select_right",
        "shift+up": "composer.select_up",
        "shift+down": "composer.select_down",
        "ctrl+shift+left": "composer.select_word_left",
        "ctrl+shift+right": "composer.select_word_right",
        "backspace": "composer.back",
        "ctrl+h": "composer.back",
        "delete": "composer.delete",
        "ctrl+d": "composer.delete_or_quit",
        "ctrl+w": "composer.cut_word_left",
        "alt+backspace": "composer.cut_word_left",
        "ctrl+backspace": "composer.cut_word_left",
        "alt+d": "composer.cut_word_right",
        "ctrl+delete": "composer.cut_word_right",
        "ctrl+u": "composer.cut_line_left",
        "ctrl+k": "composer.cut_line_right",
        "ctrl+y": "composer.yank",
        "alt+y": "composer.yank_earlier",
        "alt+u": "composer.upper",
        "alt+l": "composer.lower",
        "alt+c": "composer.capital",
        "ctrl+underscore": "composer.undo",
        "ctrl+minus": "composer.undo",
        "alt+z": "composer.redo",
        "ctrl+v": "composer.paste",
        "alt+v": "composer.paste",
        "ctrl+g": "composer.editor",
        "ctrl+s": "composer.stash",
        "ctrl+r": "composer.history",
        "tab": "composer.complete",
        "alt+up": "composer.unqueue",
        "alt+p": "composer.history_up",
        "alt+n": "composer.history_down",
        "alt+t": "composer.swap",
    },
    "normal": {},
    "suggestions": {
        "up": "suggestions.previous",
        "down": "suggestions.next",
        "ctrl+p": "suggestions.previous",
        "ctrl+n": "suggestions.next",
        "tab": "suggestions.take",
        "enter": "suggestions.accept",
        "escape": "suggestions.close",
    },
    "approval": {
        "y": "approval.once",
        "s": "approval.session",
        "a": "approval.always",
        "n": "approval.deny",
        "tab": "approval.comment",
        "e": "approval.edit",
        "ctrl+o": "approval.expand",
        "pageup": "approval.page_up",
        "pagedown": "approval.page_down",
        **{str(number): f"approval.{number}" for number in range(1, 10)},
    },
    "transcript": {
        "j": "transcript.line_down",
        "k": "transcript.line_up",
        "down": "transcript.line_down",
        "up": "transcript.line_up",
        "g g": "transcript.top",
        "G": "transcript.bottom",
        "ctrl+d": "transcript.half_down",
        "ctrl+u": "transcript.half_up",
        "ctrl+f": "transcript.page_down",
        "ctrl+b": "transcript.page_up",
        "pagedown": "transcript.page_down",
        "pageup": "transcript.page_up",
        "home": "transcript.top",
        "end": "transcript.bottom",
        "h": "transcript.left",
        "l": "transcript.right",
        "left": "transcript.left",
        "right": "transcript.right",
        "w": "transcript.word_right",
        "b": "transcript.word_left",
        "0": "transcript.line_begin",
        "$": "transcript.line_end",
        "space": "transcript.fold",
        "J": "transcript.next",
        "K": "transcript.previous",
        "}": "transcript.next",
        "{": "transcript.previous",
        "enter": "transcript.fold",
        "z a": "transcript.fold",
        "z o": "transcript.unfold",
        "z c": "transcript.close_fold",
        "z R": "transcript.unfold_all",
        "z M": "transcript.fold_all",
        "y": "transcript.copy",
        "v": "transcript.select",
        "V": "transcript.select_lines",
        "/": "transcript.search",
        "n": "transcript.search_next",
        "N": "transcript.search_previous",
        "o": "transcript.open",
        "i": "focus.composer",
        "q": "focus.composer",
        "escape": "transcript.cancel",
        "?": "app.help",
    },
    "pane": {
        "escape": "list.close",
        "tab": "pane.next",
        "+": "pane.wider",
        "-": "pane.narrower",
        "z": "pane.zoom",
        "q": "pane.close",
        "i": "focus.composer",
        "?": "app.help",
        "/": "list.search",
        "j": "list.down",
        "k": "list.up",
        "g g": "list.top",
        "G": "list.bottom",
        "h": "list.out",
        "left": "list.out",
        "l": "list.open",
        "right": "list.open",
        "x": "list.stop",
        "s": "list.steer",
        "r": "list.resume",
    },
    "list": {**_MOVES, "ctrl+d": "list.page_down", "ctrl+u": "list.page_up"},
}

KEYMAPS: dict[str, Table] = {
    "default": {},
    "claude": {
        "global": {
            "alt+p": "session.model",
            "alt+m": "session.mode",
            "alt+t": "session.effort",
            "ctrl+x ctrl+e": "composer.editor",
            "ctrl+x ctrl+k": "pane.tasks",
        },
        "composer": {"alt+p": "session.model", "alt+t": "session.effort"},
        "approval": {"enter": "approval.once", "shift+tab": "approval.session"},
    },
    "codex": {
        "global": {"ctrl+t": "focus.transcript", "f2": "pane.todos", "alt+up": "composer.unqueue"},
        "composer": {
            "enter": "composer.steer",
            "tab": "composer.queue",
            "ctrl+j": "composer.newline",
            "ctrl+p": "composer.history_up",
            "ctrl+n": "composer.history_down",
        },
        "approval": {"enter": "approval.once", "a": "approval.session", "p": "approval.always", "d": "approval.deny"},
        "transcript": {"ctrl+t": "focus.composer"},
    },
    "vim": {
        "composer": {"escape": "composer.normal", "ctrl+left_square_bracket": "composer.normal"},
        "normal": {
            ":": "app.palette",
            "/": "composer.history",
            "ctrl+d": "transcript.half_down",
            "ctrl+u": "transcript.half_up",
            "ctrl+f": "transcript.page_down",
            "ctrl+b": "transcript.page_up",
            "ctrl+e": "transcript.line_down",
            "ctrl+y": "transcript.line_up",
            "K": "focus.transcript",
            **{key.replace("ctrl+x", "space", 1): to for key, to in DEFAULT["global"].items() if key[:7] == "ctrl+x "},
        },
        "global": {
            "ctrl+w h": "pane.previous",
            "ctrl+w l": "pane.next",
            "ctrl+w w": "pane.next",
            "ctrl+w j": "focus.composer",
            "ctrl+w k": "focus.transcript",
            "ctrl+w c": "pane.close",
            "ctrl+w o": "pane.zoom",
        },
        "transcript": {
            ":": "app.palette",
            "ctrl+e": "transcript.line_down",
            "ctrl+y": "transcript.line_up",
            "g t": "tab.next",
            "g T": "tab.previous",
        },
        "pane": {":": "app.palette", "g t": "tab.next", "g T": "tab.previous"},
    },
    "emacs": {
        "global": {
            "alt+x": "app.palette",
            "ctrl+g": "session.interrupt",
            "ctrl+x ctrl+c": "app.quit",
            "ctrl+x k": "tab.close",
            "ctrl+x o": "pane.next",
            "ctrl+x 0": "pane.close",
            "ctrl+x 1": "pane.zoom",
            "ctrl+x h": "composer.select_all",
            "ctrl+x u": "composer.undo",
            "ctrl+x ctrl+x": "composer.swap_mark",
            "ctrl+x ctrl+e": "composer.editor",
            "ctrl+x ctrl+f": "pane.tree",
            "ctrl+x i": "session.inbox",
            "ctrl+x ctrl+b": "session.sessions",
            "ctrl+v": "transcript.page_down",
            "alt+v": "transcript.page_up",
            "alt+w": "app.copy",
        },
        "composer": {
            "ctrl+g": "session.interrupt",
            "ctrl+p": "composer.up",
            "ctrl+n": "composer.down",
            "ctrl+b": "composer.left",
            "ctrl+d": "composer.delete",
            "ctrl+v": "transcript.page_down",
            "alt+v": "transcript.page_up",
            "alt+less_than_sign": "composer.text_begin",
            "alt+greater_than_sign": "composer.text_end",
            "ctrl+t": "composer.swap",
            "alt+t": "composer.swap_words",
            "ctrl+@": "composer.mark",
            "ctrl+space": "composer.mark",
            "ctrl+w": "composer.cut_region",
            "alt+w": "composer.copy_region",
            "ctrl+o": "composer.newline",
        },
        "transcript": {
            "ctrl+n": "transcript.line_down",
            "ctrl+p": "transcript.line_up",
            "ctrl+v": "transcript.page_down",
            "alt+v": "transcript.page_up",
            "ctrl+s": "transcript.search",
            "ctrl+g": "transcript.cancel",
        },
        "list": {"ctrl+g": "list.close"},
        "suggestions": {"ctrl+g": "suggestions.close"},
    },
}
"""What each keymap changes of the default one."""


class Read(msgspec.Struct, frozen=True):
    """A table, and what is wrong with what a person wrote into it."""

    table: Table
    problems: tuple[str, ...] = ()


def keymap(name: str, own: Mapping[str, Any] | None = None) -> Read:
    """The keys of keymap `name` with a person's own on top (as read from keybinds.toml).

    In those, `null` — in TOML the text "null" or "" — takes a key away.
    """
    table: Table = {context: dict(keys) for context, keys in DEFAULT.items()}
    for context, keys in KEYMAPS.get(name, {}).items():
        table[context].update(keys)
    problems: list[str] = []
    for context, keys in (own or {}).items():
        if context == "keymap":
            continue
        if not isinstance(keys, Mapping):
            problems.append(f"{context} is no table; keys stand in tables such as [global]")
            continue
        if context not in table:
            near = nearest(context, CONTEXTS)
            problems.append(f"there is no context [{context}]" + (f"; did you mean [{near}]?" if near else ""))
            continue
        for written, action in keys.items():
            key = " ".join(str(written).split())
            if action in (None, "", "null"):
                table[context].pop(key, None)
            elif action not in ACTIONS:
                near = nearest(str(action), ACTIONS)
                problems.append(f'"{key}": there is no action {action}' + (f"; did you mean {near}?" if near else ""))
            else:
                table[context][key] = str(action)
    return Read(table, (*problems, *conflicts(table)))


def conflicts(table: Table) -> list[str]:
    """Keys that can never be reached: another one ends where they begin."""
    found = []
    for context, keys in table.items():
        hidden: dict[str, list[str]] = {}
        for key, action in keys.items():
            words = key.split(" ")
            for length in range(1, len(words)):
                begin = " ".join(words[:length])
                if begin in keys:
                    hidden.setdefault(begin, []).append(f'"{key}" ({action})')
        for begin, (first, *others) in hidden.items():
            more = f" and {len(others)} more behind it" if others else ""
            found.append(f'[{context}] "{begin}" ({keys[begin]}) hides {first}{more}')
    return found


class Keys:
    """Resolves what is pressed, one key at a time."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.pressed: list[str] = []
        """The beginning of a sequence."""

    def press(self, key: str, contexts: Sequence[str]) -> str | None:
        """The action of `key` in the first context that has one; "" while a sequence goes on; None where none has."""
        self.pressed.append(key)
        whole = " ".join(self.pressed)
        for context in contexts:
            keys = self.table.get(context, {})
            if whole in keys:
                self.pressed.clear()
                return keys[whole]
            if any(each.startswith(whole + " ") for each in keys):
                return ""
        was_sequence = len(self.pressed) > 1
        self.pressed.clear()
        return "" if was_sequence else None

    def following(self, contexts: Iterable[str]) -> list[tuple[str, str]]:
        """(next key, action) of the sequences that go on from what is pressed."""
        begin = " ".join(self.pressed) + " "
        found: dict[str, str] = {}
        for context in contexts:
            for key, action in self.table.get(context, {}).items():
                if key.startswith(begin):
                    found.setdefault(key.removeprefix(begin), action)
        return sorted(found.items(), key=lambda item: item[0])

    def of(self, action: str) -> str:
        """The first key of an action, as a person reads it."""
        for keys in self.table.values():
            for key, bound in keys.items():
                if bound == action:
                    return shown(key)
        return ""


def shown(key: str) -> str:
    """`ctrl+x m` → `Ctrl+X M`."""
    return " ".join(_shown_one(each) for each in key.split(" "))


def _shown_one(key: str) -> str:
    if len(key) == 1 or "+" not in key:
        return _SHOWN.get(key, key if len(key) == 1 else key.title())
    return "+".join(_SHOWN.get(part, part.title()) for part in key.split("+"))


_SHOWN = {"escape": "Esc", "pageup": "PgUp", "pagedown": "PgDn", "up": "↑", "down": "↓", "left": "←", "right": "→"}
