"""Firefox over WebDriver BiDi, with nothing between: no geckodriver, and no patched browser.

Playwright drives only the Firefox that it brings along. Debian's speaks WebDriver BiDi (a W3C standard: commands and
events in JSON over a WebSocket) by itself, and this module speaks as much of it as the tests need.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import websocket

from tools.browser.lab import await_end

ADDRESS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
POLL = 0.1
"""Seconds between two looks at the page."""
ANSWER = 60.0
"""Seconds that Firefox may take for one command; a page that loads is one."""

PREFERENCES = {
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}
CENTRE = """selector => {
  const found = document.querySelector(selector);
  if (!found) return null;
  found.scrollIntoView({ block: 'center' });
  const box = found.getBoundingClientRect();
  return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
}"""


def firefox() -> str | None:
    """Where Firefox is; None where there is none."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class BidiError(Exception):
    """Firefox refused a command, or a script in the page failed."""


class Firefox:
    """Headless Firefox with a new profile in `home`, and one page. `preferences`: besides those of all tests.

    `errors`: what the page wrote to its console as an error, and what its scripts threw. `asked`: every address that it
    asked for.
    """

    def __init__(
        self, home: Path, width: int = 1600, height: int = 1000, preferences: dict[str, Any] | None = None
    ) -> None:
        program = firefox()
        if program is None:
            raise FileNotFoundError("Firefox is not installed (Debian: apt install firefox-esr)")
        profile = home / "profile"
        profile.mkdir(parents=True)
        all_preferences = PREFERENCES | (preferences or {})
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in all_preferences.items())
        (profile / "user.js").write_text("".join(lines), encoding="utf-8")
        self.errors: list[str] = []
        self.asked: list[str] = []
        self._number = 0
        self._log = (home / "firefox.log").open("wb")
        self._process = subprocess.Popen(
            [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"],
            stdout=self._log, stderr=self._log, cwd=home,
        )  # fmt: skip
        self._socket: websocket.WebSocket | None = None
        try:
            address = self._await_address(home / "firefox.log")
            # A page's address as origin would be refused: only a program may drive the browser.
            self._socket = websocket.create_connection(f"{address}/session", timeout=ANSWER, suppress_origin=True)
            self._command("session.new", capabilities={})
            self._command("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
            tree = self._command("browsingContext.getTree")
            self._page = tree["contexts"][0]["context"]
            viewport = {"width": width, "height": height}
            self._command("browsingContext.setViewport", context=self._page, viewport=viewport)
        except BaseException:
            self.close()
            raise

    def goto(self, url: str) -> None:
        """Open a page and wait until it has loaded."""
        self._command("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def evaluate(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function in the page. What goes there and comes back must be JSON; a promise is awaited."""
        called = f"(async () => JSON.stringify((await ({function})(...{json.dumps(arguments)})) ?? null))()"
        found = self._command(
            "script.evaluate", expression=called, target={"context": self._page}, awaitPromise=True
        )  # fmt: skip
        if found["type"] == "exception":
            raise BidiError(found["exceptionDetails"]["text"])
        return json.loads(found["result"]["value"])

    def wait_for(self, function: str, *arguments: Any, timeout: float = 60.0) -> Any:
        """Call a function until it returns something true; returns that. `timeout` in seconds."""
        deadline = time.monotonic() + timeout
        while not (found := self.evaluate(function, *arguments)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not so within {timeout:.0f} s: {function} {arguments or ''}; page:\n{self.text()}")
            time.sleep(POLL)
        return found

    def wait_for_text(self, selector: str, words: str, timeout: float = 60.0) -> None:
        """Wait until the first element that matches shows exactly these words."""
        look = "(selector, words) => document.querySelector(selector)?.textContent.trim() === words"
        self.wait_for(look, selector, words, timeout=timeout)

    def click(self, selector: str) -> None:
        """Click with the mouse in the middle of the first element that matches, as soon as there is one."""
        x, y = self.wait_for(CENTRE, selector)
        mouse = {
            "type": "pointer", "id": "mouse",
            "actions": [
                {"type": "pointerMove", "x": x, "y": y},
                {"type": "pointerDown", "button": 0},
                {"type": "pointerUp", "button": 0},
            ],
        }  # fmt: skip
        self._command("input.performActions", context=self._page, actions=[mouse])

    def text(self) -> str:
        """All that the page shows."""
        return str(self.evaluate("() => document.body.innerText"))

    def screenshot(self) -> str:
        """What the window shows, as PNG in base64."""
        return str(self._command("browsingContext.captureScreenshot", context=self._page)["data"])

    def close(self) -> None:
        if self._socket is not None:
            try:
                self._command("browser.close")
            except (BidiError, OSError, websocket.WebSocketException) as problem:
                print(f"Firefox did not take its leave: {problem}")
            self._socket.close()
        else:
            self._process.terminate()
        await_end(self._process)
        self._log.close()

    def _command(self, method: str, **params: Any) -> dict[str, Any]:
        assert self._socket is not None
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message["type"] == "event":
                self._event(message)
            elif message["id"] == self._number:
                break
        if message["type"] == "error":
            raise BidiError(f"{method}: {message['error']}: {message['message']}")
        result: dict[str, Any] = message["result"]
        return result

    def _event(self, message: dict[str, Any]) -> None:
        entry = message["params"]
        if message["method"] == "network.beforeRequestSent":
            self.asked.append(entry["request"]["url"])
        elif entry["level"] == "error":
            frames = (entry.get("stackTrace") or {}).get("callFrames", [])
            self.errors.append(f"{entry['text']} ({frames[0]['url'] if frames else 'no address'})")

    def _await_address(self, log: Path) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            found = ADDRESS.search(log.read_text(errors="replace"))
            if found:
                return found.group(1)
            time.sleep(POLL)
        raise RuntimeError(f"Firefox did not start:\n{log.read_text(errors='replace')[-2000:]}")
