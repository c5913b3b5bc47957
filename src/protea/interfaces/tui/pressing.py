"""Which part of the screen a key is for, and whether it is an action, an answer or written. Called by `screen`."""

from __future__ import annotations

import re
import time

from textual import events

from protea.domain.messages import Image
from protea.interfaces.tui.front import Front
from protea.interfaces.tui.which_key import WhichKey

TWICE = 2.0
"""Seconds within which a second Ctrl+C leaves, or a second Esc goes back."""
_PICTURE = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/]+={0,2})\s*\Z")
"""A picture, as an address that holds it whole."""


class Pressing:
    """Takes what is pressed and pasted while nothing lies over the main screen."""

    def __init__(self, screen: Front, which_key: WhichKey) -> None:
        self._screen = screen
        self._which_key = which_key
        self._pressed: tuple[str, float] = ("", 0.0)
        """The action that is waiting to be done a second time, and since when."""

    def contexts(self) -> list[str]:
        """Whose keys count now, the nearest first."""
        tab = self._screen.tab
        if self._screen.focus_on == "transcript":
            return ["transcript", "global"]
        if self._screen.focus_on != "composer":
            writing = self._screen.arrangement.panes[self._screen.focus_on].writing
            return ["list", "global"] if writing else ["pane", "list", "global"]
        found = []
        if tab.card.question is not None and not tab.composer.text and not tab.card.commenting:
            found.append("approval")
        if tab.suggestions.offers:
            found.append("suggestions")
        return [*found, "normal" if tab.vim.mode != "insert" else "composer", "global"]

    def key(self, event: events.Key) -> None:
        """A key that was pressed."""
        self.look_at_table()
        if self._screen.focus_on == "transcript" and self._screen.tab.transcript.take_key(event):
            return
        pane = self._screen.arrangement.panes.get(self._screen.focus_on)
        if pane is not None and pane.writing and (event.key == "backspace" or (event.is_printable and event.character)):
            pane.write(event.character or "\b" if event.key != "backspace" else "\b")
            return
        key, character = named(event)
        keys = self._screen.desk.keys
        if self._screen.focus_on != "composer" and self._answers_from_here(key):
            return
        contexts = self.contexts()
        action = keys.press(key, contexts)
        self._which_key.show(keys.following(contexts) if keys.pressed else [])
        if action:
            self._screen.do(action)
        elif key.startswith("alt+") and not keys.pressed and (action == "" or (escape := self._escape())):
            # Over a slow line Esc and the key behind it come as one: where Esc ends something, both are meant.
            if action is None:
                self._screen.do(escape)
            behind = event.character if event.is_printable and event.character else key.removeprefix("alt+")
            self.key(events.Key(behind, event.character))
        elif action is None:
            self._write(event, character)

    def _answers_from_here(self, key: str) -> bool:
        """Whether the key, pressed elsewhere than where one writes, answered the question that is in sight. Characters
        do, and Tab; what is being typed, selected or searched here comes first."""
        tab, card = self._screen.tab, self._screen.tab.card
        action = self._screen.desk.keys.table["approval"].get(key, "")
        pane = self._screen.arrangement.panes.get(self._screen.focus_on)
        if not action or not (len(key) == 1 or key == "tab") or self._screen.desk.keys.pressed:
            return False
        if card.commenting or not tab.display or not card.answers_at_distance(action):
            return False
        if tab.transcript.busy if pane is None else pane.busy:
            return False
        if action in ("approval.comment", "approval.edit"):
            self._screen.focus_part("composer")
        self._screen.do(action)
        return True

    def look_at_table(self) -> None:
        """Keys that were changed in their file count at once. It is looked at when a key comes and when the window is
        turned to, never by the clock: nothing wakes a screen at which nobody does anything."""
        problems = self._screen.desk.changed_keys()
        if problems is not None:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            self._screen.hint(problems[0] + more if problems else "keys read again")

    def _escape(self) -> str:
        """What Esc does where it ends something or leads to other keys; else nothing."""
        tab = self._screen.tab
        contexts = self.contexts()
        table = self._screen.desk.keys.table
        action = next((table[each]["escape"] for each in contexts if "escape" in table[each]), "")
        ends = action != "session.interrupt" or tab.card.commenting or tab.told.text or tab.composer.buffer.marking
        return action if self._screen.focus_on != "composer" or ends else ""

    def _write(self, event: events.Key, character: str | None) -> None:
        """A key that is no action where it was pressed."""
        tab, pane = self._screen.tab, self._screen.arrangement.panes.get(self._screen.focus_on)
        if pane is not None:
            if character or event.key == "backspace":
                pane.write(character or "\b")
        elif self._screen.focus_on != "composer":
            return  # in the conversation nothing is written
        elif tab.vim.mode != "insert":
            tab.vim.press(character or event.key)
            self._screen.status.again()
        elif character == "?" and not tab.composer.text:
            self._screen.do("app.help")
        elif character:
            self.forget()
            tab.composer.insert(character)

    def paste(self, text: str) -> None:
        if self._screen.focus_on == "transcript" and self._screen.tab.transcript.take_paste(text):
            return
        self._screen.focus_part("composer")
        self.forget()
        if (image := _PICTURE.match(text)) is not None:
            # A page of `protea web` sends so what was pasted there; whoever pastes such an address means it, too.
            self._screen.tab.composer.attach(Image(image[1], image[2]))
        else:
            self._screen.tab.composer.paste(text)

    def twice(self, action: str) -> bool:
        """Whether this is the second time within a moment."""
        now = time.monotonic()
        was, at = self._pressed
        self._pressed = (action, now)
        return was == action and now - at < TWICE

    def forget(self) -> None:
        """What is pressed now is no second time of anything, and what told of one has become untrue."""
        if self._pressed[0]:
            self._screen.hint("")
        self._pressed = ("", 0.0)


_MODIFIED = ("alt+", "ctrl+", "super+", "hyper+", "meta+")
_SPELLED = {"ctrl+\r": "ctrl+enter", "shift+\r": "shift+enter", "alt+\r": "alt+enter", "ctrl+shift+\r": "ctrl+enter"}
"""As tmux and xterm send them, which Textual passes on as they are."""


def named(event: events.Key) -> tuple[str, str | None]:
    """What a key is called in tables of keys, and the character it would write, if it would write one."""
    key = _SPELLED.get(event.key, event.key)
    if key.startswith(_MODIFIED) or not event.is_printable:
        return key, None
    character = event.character
    return (character if character and "+" not in key and character != " " else key), character
