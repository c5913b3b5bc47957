"""A browser of its own, without a window, driven through its DevTools pipe: real keys in, what the page shows out."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 40.0
"""Seconds something may take on a machine that is busy with other things."""

_QUIET = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--disable-dev-shm-usage",
    "--window-size=1000,640",
)
_KEYS = {"Enter": 13, "Escape": 27, "Tab": 9, "Backspace": 8, "ArrowUp": 38, "ArrowDown": 40, "F5": 116}
_SHIFT, _CONTROL = 8, 2


class Chromium:
    """The browser; `with Chromium() as browser` ends it with all that it started."""

    def __enter__(self) -> Chromium:
        assert PROGRAM is not None
        self._folder = tempfile.mkdtemp(prefix="chromium")
        told, self._tell = os.pipe()
        self._hear, said = os.pipe()
        # As root it starts only without its own walls; what it opens is ours.
        walls = ["--no-sandbox"] if os.getuid() == 0 else []

        # It takes its orders on descriptor 3 and answers on 4, whatever numbers the pipes have here.
        command = f'exec "$@" 3<&{told} 4>&{said}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", PROGRAM, *_QUIET, *walls, "--remote-debugging-pipe",
             f"--user-data-dir={self._folder}", "about:blank"],
            pass_fds=(told, said),
            env={"PATH": os.environ["PATH"], "HOME": self._folder, "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        os.close(told)
        os.close(said)
        self._last = 0
        self._begun = b""
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            os.close(self._tell)
        os.close(self._hear)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        self._process.wait(PATIENCE)
        shutil.rmtree(self._folder, ignore_errors=True)

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """What the browser answers; its own fault is an `AssertionError`."""
        self._last += 1
        order: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if session:
            order["sessionId"] = session
        os.write(self._tell, json.dumps(order).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE + 10
        while True:
            while b"\0" not in self._begun:
                left = deadline - time.monotonic()
                assert select.select([self._hear], [], [], max(0, left))[0], f"the browser says nothing to {method}"
                data = os.read(self._hear, 1 << 20)
                assert data, "the browser has ended"
                self._begun += data
            message, _, self._begun = self._begun.partition(b"\0")
            answer = json.loads(message)
            if answer.get("id") == self._last:
                assert "error" not in answer, (method, answer["error"])
                found: dict[str, Any] = answer["result"]
                return found

    def open(self, url: str = "about:blank") -> Page:
        """A tab."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        page = Page(self, target, self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        page.go(url)
        return page


class Page:
    """One tab."""

    def __init__(self, browser: Chromium, target: str, session: str) -> None:
        self._browser = browser
        self._target = target
        self._session = session

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.ask(method, self._session, **parameters)

    def go(self, url: str) -> None:
        self.ask("Page.navigate", url=url)

    def reload(self) -> None:
        self.run("window.ofBefore = true")
        self.ask("Page.reload")
        self.until("!window.ofBefore")

    def close(self) -> None:
        self._browser.ask("Target.closeTarget", targetId=self._target)

    def show(self) -> None:
        """Bring it before the others."""
        self.ask("Page.bringToFront")

    # ── seeing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, script: str) -> Any:
        """The value of an expression; a promise is waited for."""
        found = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait for an expression (or what it promises) to become true, in whatever document the tab then shows."""
        look = f"""new Promise((done) => {{
            const end = Date.now() + 1000;
            const look = async () => {{
                let found = false;
                try {{ found = Boolean(await ({condition})); }} catch {{}}
                if (found || Date.now() > end) {{ done(found); }} else {{ setTimeout(look, 20); }}
            }};
            look();
        }})"""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(AssertionError):  # a document that goes away takes its promises along
                if self.run(look):
                    return
        raise AssertionError(f"{condition} did not come true; the page shows:\n{self.text}")

    @property
    def text(self) -> str:
        """The rows of the terminal, or the text of a page without one."""
        return str(
            self.run(
                "[...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent.trimEnd())"
                ".join('\\n') || document.body.innerText"
            )
        )

    def see(self, *wanted: str) -> None:
        """Wait until all of `wanted` stands on the screen."""
        rows = "[...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent).join('\\n')"
        self.until(f"{json.dumps(wanted)}.every((each) => {rows}.replaceAll('\\u00a0', ' ').includes(each))")

    def quiet(self, seconds: float) -> None:
        """Wait until nothing has been drawn for so long."""
        self.run(
            f"""new Promise((done) => {{
            let timer = setTimeout(done, {seconds * 1000});
            const again = () => {{ clearTimeout(timer); timer = setTimeout(done, {seconds * 1000}); }};
            const seen = new MutationObserver(again);
            const all = {{ childList: true, subtree: true, characterData: true }};
            seen.observe(document.querySelector('.xterm-rows'), all);
        }})"""
        )

    def picture(self, path: str) -> None:
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    # ── doing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def type(self, text: str) -> None:
        """Keys, one after another."""
        for character in text:
            if character == "\r":
                self.press("Enter")
            else:
                self.ask("Input.dispatchKeyEvent", type="keyDown", key=character, text=character)
                self.ask("Input.dispatchKeyEvent", type="keyUp", key=character)

    def press(self, key: str, *, control: bool = False, shift: bool = False) -> None:
        code = _KEYS.get(key) or ord(key.upper())
        name = key if len(key) > 1 else f"Key{key.upper()}"
        held = (_CONTROL if control else 0) | (_SHIFT if shift else 0)
        what: dict[str, Any] = {"key": key, "code": name, "windowsVirtualKeyCode": code, "modifiers": held}
        if key == "Enter" and not held:
            self.ask("Input.dispatchKeyEvent", type="keyDown", text="\r", **what)
        else:
            self.ask("Input.dispatchKeyEvent", type="rawKeyDown", **what)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **what)

    def mouse(self, what: str, x: int, y: int, **more: Any) -> None:
        self.ask("Input.dispatchMouseEvent", type=what, x=x, y=y, **more)

    def resize(self, width: int, height: int) -> None:
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
