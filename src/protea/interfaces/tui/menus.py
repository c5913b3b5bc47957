"""The lists one chooses from: what stands in each, and the command a choice becomes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from protea.domain.columns import ago
from protea.domain.commands import SetModel, Swap
from protea.domain.errors import ProteaError
from protea.domain.session import SessionSummary
from protea.domain.settings import EFFORTS
from protea.domain.swap import SwapPreview
from protea.domain.view import call_object
from protea.interfaces.tui.front import Front
from protea.interfaces.tui.going_back import rewind
from protea.interfaces.tui.keys import ACTIONS, CONTEXTS, KEYMAPS, shown
from protea.interfaces.tui.picker import Item, Picker, open_list, show_list
from protea.interfaces.tui.status import rounded
from protea.interfaces.tui.themes import AUTO, THEMES

Menu = Callable[[Front], Any]


# ── everything ─────────────────────────────────────────────────────────────────────────────────────────────────────


def palette(screen: Front) -> None:
    """All actions, all slash commands, tabs, themes: by name."""
    keys = screen.desk.keys
    items = [
        Item(key=name, text=about, detail=keys.of(name), words=name)
        for name, about in sorted(ACTIONS.items(), key=lambda each: _GROUPS.index(each[0].partition(".")[0]))
        if not name.startswith(("approval.", "list.", "suggestions.", "composer."))
        and not name.rpartition(".")[2].isdigit()
        and name not in ("app.palette", "app.quit_if_empty")
    ]
    items += [
        Item(key=name, text=ACTIONS[name], detail=keys.of(name), words=name)
        for name in (
            "composer.editor",
            "composer.stash",
            "composer.history",
            "composer.paste",
            "composer.clear",
            "composer.unqueue",
        )
    ]
    items += [
        Item(
            key=f"/{each['name']}",
            text=f"/{each['name']} {each.get('arguments', '')}".rstrip(),
            detail=str(each.get("about", "")),
            words="command",
        )
        for each in screen.desk.offers.commands
    ]
    items += [Item(key=f"theme {name}", text=f"theme: {name}", detail=theme.about) for name, theme in THEMES.items()]
    items += [Item(key=f"keymap {name}", text=f"keymap: {name}") for name in KEYMAPS]

    def then(key: str) -> None:
        if key.startswith("/"):
            composer = screen.tab.composer
            takes = next((each.get("arguments") for each in screen.desk.offers.commands if each["name"] == key[1:]), "")
            if takes and not str(takes).startswith("["):
                composer.set(key + " ")
            else:
                screen.tab.command(key)
        elif key.startswith("theme "):
            screen.use_theme(key.removeprefix("theme "))
        elif key.startswith("keymap "):
            screen.use_keymap(key.removeprefix("keymap "))
        else:
            screen.do(key)

    open_list(screen, "everything", items, then)


_GROUPS = ("session", "pane", "tab", "focus", "app", "transcript", "composer", "suggestions", "approval", "list")
"""Actions as they stand among everything: what one comes for first."""


def keys_help(screen: Front) -> None:
    """Every key that works, the nearest first; those that anybody knows last."""
    near = screen.contexts()
    bound: dict[tuple[str, str], list[str]] = {}
    for context in [*near, *(each for each in CONTEXTS if each not in near)]:
        for key, action in screen.desk.keys.table.get(context, {}).items():
            bound.setdefault((context, action), []).append(key)
    # First what is special here and everywhere, then what every line editor does, then what works elsewhere.
    order = sorted(bound, key=lambda each: 2 if each[0] not in near else 1 if each[1] in USUAL else 0)
    items = [
        Item(key="", lead=sign, text=what, detail="at the beginning")
        for sign, what in SIGNS
        if screen.focus_on == "composer"
    ]
    for context, action in order:
        first, *others = bound[context, action]
        also = f"also {', '.join(map(shown, others))} · " if others else ""
        items.append(
            Item(
                key=f"{context} {first} {action}",
                lead=shown(first),
                text=ACTIONS.get(action, action),
                detail=also + CONTEXTS[context],
                words=f"{' '.join(bound[context, action])} {action}",
            )
        )
    if screen.focus_on != "composer":
        items += [Item(key="", lead=sign, text=what, detail="at the beginning, while writing") for sign, what in SIGNS]
    open_list(screen, "keys", items, lambda key: screen.do(key.split(" ")[-1]) if key else None)


SIGNS = (("/", "commands"), ("@", "files, agents, sessions"), ("!", "a shell command of your own"), ("?", "this list"))
"""What begins something in the composer."""
USUAL = frozenset(
    f"composer.{name}"
    for name in (
        *("left", "right", "up", "down", "word_left", "word_right", "line_begin", "line_end", "text_begin", "text_end"),
        *("select_left", "select_right", "select_up", "select_down", "select_word_left", "select_word_right"),
        *("back", "delete", "delete_or_quit", "cut_word_left", "cut_word_right", "cut_line_left", "cut_line_right"),
        *("yank", "yank_earlier", "upper", "lower", "capital", "swap", "swap_words", "undo", "redo"),
        *("mark", "swap_mark", "cut_region", "copy_region"),
    )
)
"""What keys of any line editor do."""


# ── what the session runs with ─────────────────────────────────────────────────────────────────────────────────────


async def models(screen: Front) -> None:
    found = await screen.desk.gateway.describe("models", screen.tab.session)
    current = screen.tab.state.model
    items = [
        Item(
            key=str(each["id"]),
            text=str(each["id"]),
            detail=price_text(each),
            mark="●" if each["id"] == current else "✗" if each.get("lacks") else "",
            about=model_about(each),
            words="" if each.get("lacks") else "ready",
        )
        for each in sorted(found, key=lambda each: bool(each.get("lacks")))  # those that would answer come first
    ]
    open_list(screen, "model", items, lambda key: screen.tab.submit(SetModel(model=key)), marked=current)


def price_text(model: dict[str, Any]) -> str:
    """`$3 in · $15 out · 200k`, and why it would not answer."""
    price = model.get("price")
    parts = [f"${price['input']:g} in · ${price['output']:g} out"] if price else []
    if model.get("context"):
        parts.append(rounded(model["context"]))
    parts += [str(model["lacks"])] if model.get("lacks") else []
    return " · ".join(parts)


def model_about(model: dict[str, Any]) -> str:
    """What is known of a model, a line each: what it can, what it costs, how hard it thinks, what it lacks."""
    price = model.get("price") or {}
    cache = "".join(
        f" · ${price[name]:g} {words}"
        for name, words in (("cache_read", "cache read"), ("cache_write", "cache write"))
        if price.get(name) is not None
    )
    can = [word for word, has in (("images", model.get("images")), ("thinking", model.get("thinking"))) if has]
    efforts = model.get("efforts") or ()
    window = f"sees {rounded(model['context'])} tokens" if model.get("context") else "window unknown"
    cost = f"${price['input']:g} in · ${price['output']:g} out{cache}, per million tokens" if price else "price unknown"
    lines = [window + "".join(f" · {each}" for each in can), cost]
    lines += [f"efforts: {', '.join(efforts)}"] if efforts else []
    lines += [str(model["lacks"])] if model.get("lacks") else []
    return "\n".join(lines)


async def efforts(screen: Front) -> None:
    found = await screen.desk.gateway.describe("models", screen.tab.session)
    own = next((each.get("efforts") for each in found if each["id"] == screen.tab.state.model), None) or EFFORTS
    current = screen.tab.state.effort or ""
    items = [Item(key=each, text=each, mark="●" if each == current else "") for each in own]
    open_list(
        screen,
        "effort",
        items,
        lambda key: screen.tab.submit(SetModel(model=screen.tab.state.model, effort=key)),
        marked=current,
    )


async def profiles(screen: Front) -> None:
    gateway, session = screen.desk.gateway, screen.tab.session
    found = await gateway.describe("profiles", session)
    items = []
    for each in found:
        name = str(each["name"])
        about = str(each.get("about", ""))
        if name != screen.tab.state.profile:
            try:
                would = preview_text(await gateway.preview(session, Swap(profile=name)))
            except ProteaError as error:
                would = str(error)
            about = f"{about}\n{would}".strip()
        current = name == screen.tab.state.profile
        items.append(
            Item(key=name, text=name, detail=str(each.get("about", "")), about=about, mark="●" if current else "")
        )
    open_list(
        screen, "profile", items, lambda key: screen.tab.submit(Swap(profile=key)), marked=screen.tab.state.profile
    )


def preview_text(preview: SwapPreview) -> str:
    """What a swap would bring, in a few lines."""
    changed = ", ".join(f"{each.port} {each.before} → {each.after}" for each in preview.changes)
    lost = ""
    if preview.cached_tokens_lost:
        price = f", ${preview.cost_usd:.4f}" if preview.cost_usd else ""
        lost = f"{rounded(preview.cached_tokens_lost)} cached tokens are read anew{price}"
    lines = [
        f"{preview.swap_class} swap: {changed}" if changed else "nothing changes",
        "tools that come: " + ", ".join(preview.tools_added) if preview.tools_added else "",
        "tools that go: " + ", ".join(preview.tools_removed) if preview.tools_removed else "",
        lost,
        "waits for: " + ", ".join(preview.waits_for) if preview.waits_for else "",
        *preview.warnings,
    ]
    return "\n".join(line for line in lines if line)


# ── sessions and their past ────────────────────────────────────────────────────────────────────────────────────────


async def sessions(screen: Front) -> None:
    """The sessions of this directory, then all others, those of agents last; searched by title, and by what was said
    in them."""
    gateway, cwd = screen.desk.gateway, screen.desk.place.open.cwd
    every = await gateway.sessions()
    ordered = sorted(every, key=lambda each: (bool(each.agent), each.cwd != cwd))
    open_here = {tab.session for tab in screen.tabs}
    items = [session_item(each, here=each.cwd == cwd, open=each.id in open_here) for each in ordered]

    async def deleted(id: str) -> None:
        await gateway.delete(id)
        screen.hint(f"session {id} is deleted")

    def then(key: str) -> None:
        word, _, id = key.rpartition(":")
        if word == "ctrl+f":
            screen.desk.spawn(screen.open_session(id, fork=True))
        elif word == "ctrl+x":
            screen.desk.spawn(deleted(id))
        else:
            screen.desk.spawn(screen.open_session(id))

    picker = open_list(
        screen,
        "sessions",
        items,
        then,
        empty="there is no session yet",
        unfit="no session has these words",
        marked=next((each.id for each in ordered if each.id not in open_here), None),
        others={"ctrl+f": "forks", "ctrl+x": "deletes"},
        final="ctrl+x",
    )

    async def by_words() -> None:
        text = picker.query_text
        hits = await gateway.search(text, 40)
        if picker.query_text == text and not picker.shown:
            picker.show(
                [
                    replace(session_item(each, here=each.cwd == cwd, open=each.id in open_here), about=snippet)
                    for each, _, snippet in hits
                ]
            )

    picker.nothing = lambda: screen.desk.spawn(by_words())


def session_item(each: SessionSummary, *, here: bool, open: bool) -> Item:
    where = "" if here else f" · {each.cwd}"
    cost = f" · ${each.cost_usd:.2f}" if each.cost_usd else ""
    mark = {"running": "▶", "waiting": "?", "interrupted": "!"}.get(each.state, "●" if open else "")
    return Item(
        key=each.id,
        text=each.title or "new session",
        detail=f"{ago(each.updated, datetime.now(UTC).isoformat())}{where}",
        mark=mark,
        words=f"{each.id} {each.model}",
        about=f"{each.id} · {each.model} · {each.prompts} prompts{cost}",
    )


def history(screen: Front) -> None:
    """What was written before, searched as one types."""
    kept = screen.desk.history

    def found(words: str) -> list[Item]:
        return [
            Item(key=text, text=" ".join(text.split()), about=text if "\n" in text else "")
            for text in kept.search(words)
        ]

    open_list(
        screen,
        "written before",
        found(""),
        screen.tab.composer.set,
        search=found,
        empty="nothing was written yet",
        unfit="nothing like it was written",
    )


def inbox(screen: Front) -> None:
    """Every question that waits, whichever tab it is in."""
    items = [
        Item(
            key=f"{place} {question.id}",
            text=f"{question.call.name} {' '.join(call_object(question.call).split())}"
            if question.kind == "permission"
            else question.why,
            detail=f"in {tab.state.title or 'a new session'}",
            mark="?",
            about=question.why,
        )
        for place, tab in enumerate(screen.tabs)
        for question in tab.state.questions
    ]

    def then(key: str) -> None:
        screen.to_tab(int(key.split(" ")[0]))

    open_list(screen, "waiting for an answer", items, then, empty="nothing waits")


# ── the screen itself ──────────────────────────────────────────────────────────────────────────────────────────────


def themes(screen: Front) -> None:
    before = screen.desk.preferences.theme
    items = [Item(key=AUTO, text=AUTO, detail="by the terminal's background", mark="●" if before == AUTO else "")]
    items += [
        Item(key=name, text=name, detail=theme.about, mark="●" if name == before else "")
        for name, theme in THEMES.items()
    ]

    def closed(key: str | None) -> None:
        screen.use_theme(key or before, keep=key is not None)

    show_list(
        screen,
        Picker(screen.desk, "theme", items, marked=before, moved=lambda name: screen.use_theme(name, keep=False)),
        closed,
    )


def keymaps(screen: Front) -> None:
    current = screen.desk.preferences.keymap
    items = [Item(key=name, text=name, mark="●" if name == current else "") for name in KEYMAPS]
    open_list(screen, "keymap", items, screen.use_keymap, marked=current)


def settings(screen: Front, marked: str | None = None) -> None:
    """What can be set for the screen; each choice holds at once and is written into config.toml."""
    wishes = screen.desk.preferences
    rows = [
        ("theme", wishes.theme, "colours"),
        ("keymap", wishes.keymap, "keys; your own go into keybinds.toml"),
        ("mouse", _on(wishes.mouse), "whether the mouse belongs to the screen"),
        ("motion", _on(wishes.motion), "whether anything moves by itself"),
        ("screen_reader", _on(wishes.screen_reader), "words instead of drawings, and nothing that moves"),
        ("notify", wishes.notify, "how you are called while you look elsewhere"),
        ("images", wishes.images, "how pictures are drawn, from the next start on"),
        ("session.model", screen.tab.state.model, "the model of this session"),
        ("session.effort", screen.tab.state.effort or "as the model likes", "how hard it thinks"),
        ("session.profile", screen.tab.state.profile, "who it is"),
    ]
    items = [Item(key=key, lead=key.rpartition(".")[2], text=value, detail=about) for key, value, about in rows]

    def then(key: str) -> None:
        if key in ("theme", "keymap"):
            screen.do(f"app.{key}")
        elif key.startswith("session."):
            screen.do(key)
        elif key == "mouse":
            screen.do("app.mouse")
            settings(screen, key)
        else:
            value, ways = getattr(wishes, key), WAYS.get(key, ())
            screen.prefer(**{key: ways[(ways.index(value) + 1) % len(ways)] if ways else not value})
            settings(screen, key)

    open_list(screen, "settings", items, then, marked=marked)


WAYS = {"notify": ("auto", "bell", "osc9", "osc99", "osc777", "none"), "images": ("auto", "blocks", "none")}
"""Settings that have more than two ways, which follow one another."""


def _on(value: bool) -> str:
    return "on" if value else "off"


MENUS: dict[str, Menu] = {
    "app.settings": settings,
    "app.palette": palette,
    "app.help": keys_help,
    "app.theme": themes,
    "app.keymap": keymaps,
    "session.model": models,
    "session.effort": efforts,
    "session.profile": profiles,
    "session.sessions": sessions,
    "session.rewind": rewind,
    "session.inbox": inbox,
    "composer.history": history,
}
"""Action → the list it opens."""
