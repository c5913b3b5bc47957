"""What the actions of the main screen do. Those of a list, a pane or the composer are done there."""

from __future__ import annotations

from collections.abc import Callable

from protea.domain.commands import Background
from protea.interfaces import external
from protea.interfaces.tui.driver import ScreenDriver
from protea.interfaces.tui.front import Front
from protea.interfaces.tui.tab import Tab


def _app_clear_or_quit(screen: Front) -> None:
    tab = screen.tab
    if screen.focus_on != "composer":
        screen.focus_part("composer")
    if tab.composer.text:
        tab.composer.clear()
        screen.twice("")
    elif screen.twice("quit"):
        screen.app.exit()
    else:
        if tab.at_work:
            tab.interrupt()
        screen.hint("Ctrl+C again leaves")


def _session_interrupt(screen: Front) -> None:
    tab = screen.tab
    if tab.composer.buffer.marking:
        tab.composer.buffer.drop_mark()
        tab.composer.update()
    elif tab.card.commenting:
        tab.card.commenting = ""
        tab.card.again()
    elif tab.told.text:
        tab.told.show("")
    elif tab.at_work:
        tab.interrupt()
    elif screen.twice("rewind"):
        screen.do("session.rewind")
    elif tab.state.prompts:
        screen.hint("Esc again goes back to an earlier prompt")


def _session_background(screen: Front) -> None:
    if screen.tab.state.turn is None:  # nothing runs: the key is readline's
        screen.tab.act("composer.left")
    else:
        screen.desk.spawn(_let_go_on(screen, screen.tab))


async def _let_go_on(screen: Front, tab: Tab) -> None:
    await tab.submitted(Background())  # where nothing can, the refusal says which calls run and why not
    screen.hint(f"it goes on in the background; {screen.desk.keys.of('pane.tasks')} shows it")


def _composer_delete_or_quit(screen: Front) -> None:
    if screen.tab.composer.text:
        screen.tab.act("composer.delete")
    else:
        screen.app.exit()


def _composer_normal(screen: Front) -> None:
    if screen.tab.card.commenting or screen.tab.told.text:
        _session_interrupt(screen)
        return
    if screen.tab.vim.mode == "normal" and not screen.tab.vim.pending:
        _session_interrupt(screen)
    screen.tab.vim.normal()
    screen.status.again()


def _composer_editor(screen: Front) -> None:
    text = edited(screen, screen.tab.composer.whole()[0])
    if text is not None:
        screen.tab.composer.set(text)


def _composer_stash(screen: Front) -> None:
    screen.tab.composer.act("composer.stash")
    screen.desk.remember(stash=screen.tab.composer.stashed)
    screen.hint("put aside; Ctrl+S with nothing written takes it back" if screen.tab.composer.stashed else "")


def _composer_copy_region(screen: Front) -> None:
    buffer = screen.tab.composer.buffer
    begin, end = buffer.selection()
    if begin == end:
        screen.tab.act("transcript.copy")
        return
    buffer.cut = buffer.text[begin:end]
    buffer.drop_mark()
    screen.tab.composer.update()
    screen.copy(buffer.cut)


def zoom_pane(screen: Front) -> None:
    screen.arrangement.zoomed = not screen.arrangement.zoomed and bool(screen.arrangement.open)
    screen.lay_panes()


def _pane_close(screen: Front) -> None:
    if screen.focus_on in screen.arrangement.open:
        screen.toggle_pane(screen.focus_on)


def _focus_composer(screen: Front) -> None:
    screen.arrangement.zoomed = False
    screen.focus_part("composer")


def _transcript_cancel(screen: Front) -> None:
    if screen.tab.transcript.busy:
        screen.tab.act("transcript.cancel")
    else:
        screen.focus_part("composer")


def _app_redraw(screen: Front) -> None:
    screen.desk.look_at_pictures()
    screen.app.refresh(layout=True)
    screen.refresh(layout=True, repaint=True)


def _app_mouse(screen: Front) -> None:
    screen.prefer(mouse=not screen.desk.preferences.mouse)
    if isinstance(driver := screen.app._driver, ScreenDriver):
        driver.set_mouse(screen.desk.preferences.mouse)
    screen.hint("mouse on" if screen.desk.preferences.mouse else "mouse off: the terminal selects by itself")


def _step_tab(screen: Front, step: int) -> None:
    screen.to_tab((screen.tabs.index(screen.tab) + step) % len(screen.tabs))


def _step_pane(screen: Front, step: int) -> None:
    order = screen.arrangement.order()
    here = "" if screen.focus_on in ("composer", "transcript") else screen.focus_on
    at = order.index(here) if here in order else order.index("")
    screen.focus_part(order[(at + step) % len(order)] or "composer")


def _widen(screen: Front, step: int) -> None:
    name = screen.focus_on if screen.focus_on in screen.arrangement.open else next(iter(screen.arrangement.open), "")
    if name:
        screen.arrangement.widen(name, step, screen.app.size.width)
        screen.lay_panes()


def edited(screen: Front, text: str) -> str | None:
    """What the person's editor made of it; None where it could not be opened."""
    words = external.editor_of(screen.desk.place.environment)
    if not words:
        screen.hint("there is no editor; set $EDITOR")
        return None
    try:
        with screen.app.suspend():
            return external.edit(words, text, screen.desk.place.environment)
    except OSError as error:
        screen.hint(f"{words[0]}: {error.strerror}")
        return None
    finally:
        screen.refresh(layout=True)


DOING: dict[str, Callable[[Front], object]] = {
    "app.quit": lambda screen: screen.app.exit(),
    "app.clear_or_quit": _app_clear_or_quit,
    "session.interrupt": _session_interrupt,
    "session.background": _session_background,
    "session.info": lambda screen: screen.tab.command("/cost"),
    "composer.delete_or_quit": _composer_delete_or_quit,
    "composer.normal": _composer_normal,
    "composer.editor": _composer_editor,
    "composer.stash": _composer_stash,
    "composer.copy_region": _composer_copy_region,
    "tab.new": lambda screen: screen.desk.spawn(screen.another(instead=False)),
    "tab.close": lambda screen: screen.desk.spawn(screen.close_tab()),
    "tab.next": lambda screen: _step_tab(screen, 1),
    "tab.previous": lambda screen: _step_tab(screen, -1),
    "pane.next": lambda screen: _step_pane(screen, 1),
    "pane.previous": lambda screen: _step_pane(screen, -1),
    "pane.zoom": zoom_pane,
    "pane.wider": lambda screen: _widen(screen, 4),
    "pane.narrower": lambda screen: _widen(screen, -4),
    "pane.close": _pane_close,
    "focus.composer": _focus_composer,
    "focus.transcript": lambda screen: screen.focus_part("transcript"),
    "transcript.cancel": _transcript_cancel,
    "app.copy": lambda screen: screen.tab.act("transcript.copy"),
    "app.suspend": lambda screen: screen.app.action_suspend_process(),
    "app.redraw": _app_redraw,
    "app.mouse": _app_mouse,
}
"""Action → what it does."""
