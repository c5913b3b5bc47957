"""`protea web` in a real browser, as a person uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from tests.interfaces.web.chromium import PROGRAM, Chromium, Page
from tests.interfaces.web.served import Served

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="there is no Chromium (package chromium): NOTHING of `protea web` IS TRIED IN A BROWSER"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served") / "world") as running:
        yield running


@pytest.fixture
def page(browser: Chromium, served: Served) -> Iterator[Page]:
    opened = browser.open(served.url)
    opened.see(" NORMAL ", "❯")
    yield opened
    opened.close()


def test_a_change_is_asked_for_allowed_and_made(page: Page, served: Served) -> None:
    page.type("replace TODO with DONE in src/beta.py\r")
    page.see("allow once", "src/beta.py")
    assert "TODO" in (served.world.project / "src/beta.py").read_text()
    page.until("document.title.includes('replace TODO')")
    page.quiet(0.5)  # an answer to what nobody can have read is not taken
    page.type("y")
    page.see(" out ")
    assert (served.world.project / "src/beta.py").read_text() == "y = 2  # DONE: three\n"
    assert "token" not in page.run("location.href")


def test_a_page_that_is_loaded_again_comes_back_to_its_screen(page: Page, served: Served) -> None:
    page.type("find every TODO in src\r")
    page.see(" out ", "src/alpha.py")
    page.type("half a prom")
    page.see("half a prom")
    running = served.screens()
    page.reload()
    page.see("find every TODO in src", "half a prom")
    assert served.screens() == running
    page.type("pt")
    page.see("half a prompt")


def test_a_tab_goes_on_with_its_session_once_a_new_server_has_let_the_browser_in(
    browser: Chromium, tmp_path: Path
) -> None:
    with Served(tmp_path / "world") as served:
        page = browser.open(served.url)
        page.see(" NORMAL ")
        page.type("find every TODO in src\r")
        page.see(" out ", "src/alpha.py")
        page.until("location.href.includes('session=')")
        served.end()
        page.until("document.querySelector('#notice').textContent.includes('protea web has ended')")
        served.again()
        other = browser.open(served.url)
        other.see(" NORMAL ")
        page.show()
        page.see("find every TODO in src", " NORMAL ")
        other.close()
        page.close()


def test_two_tabs_are_two_sessions(browser: Chromium, page: Page, served: Served) -> None:
    screens = len(served.screens())
    other = browser.open(served.base)
    other.see(" NORMAL ")
    other.show()
    other.type("read src/beta.py\r")
    other.see("src/beta.py", " out ")
    page.show()
    page.type("read src/alpha.py\r")
    page.see("src/alpha.py", " out ")
    assert "beta" not in page.text
    assert "alpha" not in other.text
    assert len(served.screens()) == screens + 1
    sessions = [each.run("new URL(location.href).searchParams.get('session')") for each in (page, other)]
    assert len(set(sessions)) == 2
    assert all((served.world.home / ".protea/sessions" / each).is_dir() for each in sessions)
    other.close()


def test_the_same_screen_in_another_tab_is_taken_there_and_taken_back(browser: Chromium, page: Page) -> None:
    other = browser.open(page.run("location.href"))
    other.see(" NORMAL ")
    page.until("document.querySelector('#notice').textContent.includes('another tab')")
    page.show()
    page.press("Enter")  # the button has the keys
    page.until("document.querySelector('#notice').hidden")
    page.see(" NORMAL ")
    other.until("document.querySelector('#notice').textContent.includes('another tab')")
    other.close()


def test_the_screen_is_as_large_as_the_window(page: Page) -> None:
    page.resize(500, 300)
    page.until("document.querySelectorAll('.xterm-rows > div').length < 20")
    page.see(" NORMAL ", "❯")
    page.resize(1400, 900)
    page.until("document.querySelectorAll('.xterm-rows > div').length > 40")
    page.see(" NORMAL ", "❯")
    page.until("[...document.querySelectorAll('.xterm-rows > div')].at(-1).textContent.includes('NORMAL')")


def test_the_lowest_of_all_characters_is_seen(page: Page, tmp_path: Path) -> None:
    pictures = []
    for text in (" " * 30, "_" * 30):
        page.type(f"x{text}x")
        page.see(f"x{text}x")
        page.quiet(0.5)
        page.picture(str(tmp_path / "page.png"))
        pictures.append(Image.open(tmp_path / "page.png").convert("L"))
        page.press("c", control=True)
        page.quiet(0.5)
    drawn = ImageChops.difference(*pictures).point(lambda value: 255 * (value > 40)).histogram()[255]
    assert drawn > 30 * 4


def test_keys_that_a_browser_would_keep_reach_the_screen(page: Page) -> None:
    page.type("one")
    page.press("Enter", shift=True)
    page.type("two")
    page.see("❯ one", "  two")
    page.press("a", control=True)
    page.type("x")
    page.see("  xtwo")
    page.press("p", control=True)  # not the printer
    page.see("Esc closes")
    page.press("Escape")
    page.see("  xtwo", " NORMAL ")
    page.press("c", control=True)
    page.see("Ask, or / commands")


def test_the_mouse_moves_selects_and_copies(browser: Chromium, page: Page, served: Served) -> None:
    permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    browser.ask("Browser.grantPermissions", permissions=permissions, origin=served.base.rstrip("/"))
    (served.world.project / "long.txt").write_text("".join(f"line {number}\n" for number in range(60)))
    page.show()
    page.type("read long.txt\r")
    page.see("line 59", " out ")
    page.mouse("mouseWheel", 300, 200, deltaX=0, deltaY=-2000)
    page.until("!document.querySelector('.xterm-rows').textContent.includes('line 59')")
    page.quiet(0.3)
    page.mouse("mousePressed", 20, 100, button="left", clickCount=1)
    page.mouse("mouseMoved", 300, 140, button="left", buttons=1)
    page.mouse("mouseReleased", 300, 140, button="left", clickCount=1)
    page.until("navigator.clipboard.readText().then((text) => /line \\d+\\n.*line \\d+/.test(text))")


def test_what_is_pasted_and_what_an_input_method_writes_arrives_whole(page: Page) -> None:
    page.ask("Input.insertText", text="日本語のテキスト ")
    page.see("日本語のテキスト")
    page.run(
        """(() => { const held = new DataTransfer(); held.setData('text/plain', 'pasted ✓ line\\nand another');
        document.querySelector('.xterm-helper-textarea').dispatchEvent(
            new ClipboardEvent('paste', { clipboardData: held, bubbles: true, cancelable: true })); })()"""
    )
    page.see("日本語のテキスト pasted ✓ line", "  and another")


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_picture_that_is_pasted_or_dropped_is_sent_along(page: Page, way: str) -> None:
    page.run(f"window.isPaste = {str(way == 'paste').lower()}")
    page.run(
        """new Promise((done) => {
            const drawn = document.createElement('canvas');
            drawn.width = drawn.height = 40;
            drawn.toBlob((blob) => {
                const held = new DataTransfer();
                held.items.add(new File([blob], 'a.png', { type: 'image/png' }));
                const how = { bubbles: true, cancelable: true };
                document.querySelector('.xterm-helper-textarea').dispatchEvent(isPaste
                    ? new ClipboardEvent('paste', { ...how, clipboardData: held })
                    : new DragEvent('drop', { ...how, dataTransfer: held }));
                done();
            });
        })"""
    )
    page.see("[image #1]")
    page.type("what is it?\r")
    page.see("▣ image/png", " out ")


def test_what_the_screen_copies_is_in_the_browsers_clipboard(browser: Chromium, page: Page, served: Served) -> None:
    browser.ask(
        "Browser.grantPermissions",
        permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
        origin=served.base.rstrip("/"),
    )
    page.show()
    page.type("read src/beta.py\r")
    page.see(" out ")
    page.type("/copy\r")
    page.until("navigator.clipboard.readText().then((text) => text.includes('three'))")


def test_a_screen_that_was_left_can_be_gone_on_with(page: Page) -> None:
    page.type("find every TODO in src\r")
    page.see(" out ")
    page.press("c", control=True)
    page.press("c", control=True)
    page.until("document.querySelector('#notice').textContent.includes('Protea has ended')")
    page.press("Enter")
    page.see("find every TODO in src", " NORMAL ")


def test_a_wrong_token_is_told_how_to_come_in(browser: Chromium, served: Served) -> None:
    page = browser.open(f"{served.base}?token=wrong")
    page.until("document.body.innerText.includes('Not this way')")
    assert page.run("fetch(location.href).then((answer) => answer.status)") == 403
    page.close()


def test_a_page_of_another_server_on_this_machine_sees_nothing(
    browser: Chromium, page: Page, served: Served, tmp_path: Path
) -> None:
    with Served(tmp_path / "other") as stranger:
        attacker = browser.open(stranger.url)
        attacker.see(" NORMAL ")
        # The same machine is the same site: the browser does send the cookie. Where the page is from is what counts.
        script = f"""new Promise((done) => {{
            const socket = new WebSocket("ws://127.0.0.1:{served.port}/socket");
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
        }})"""
        attacker.ask("Page.setBypassCSP", enabled=True)
        attacker.reload()
        attacker.see(" NORMAL ")
        assert attacker.run(script) == "refused"
        assert attacker.run(f"fetch('{served.base}').then(() => 'read', () => 'refused')") == "refused"
        attacker.close()


def test_the_page_breaks_none_of_its_own_rules(browser: Chromium, served: Served) -> None:
    page = browser.open()
    page.ask("Page.enable")
    page.ask(
        "Page.addScriptToEvaluateOnNewDocument",
        source="""window.wrong = [];
        addEventListener('securitypolicyviolation', (event) => wrong.push(event.violatedDirective + event.blockedURI));
        addEventListener('error', (event) => wrong.push(event.message));
        addEventListener('unhandledrejection', (event) => wrong.push(String(event.reason)));""",
    )
    page.go(served.url)
    page.see(" NORMAL ")
    page.type("find every TODO in src\r")
    page.see(" out ")
    assert page.run("wrong") == []
    loaded = page.run("performance.getEntriesByType('resource').map((each) => each.name)")
    assert loaded
    assert all(each.startswith(served.base) for each in loaded)
    page.close()
